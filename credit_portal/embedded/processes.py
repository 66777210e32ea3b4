"""Finding, ending and outliving processes."""

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path


def die_with_parent(number):
    """A `preexec_fn`: the child gets signal `number` when we die, even by kill -9 (Linux)."""
    pr_set_pdeathsig = 1
    libc = ctypes.CDLL(None)  # loaded before the fork

    def ask():
        if hasattr(libc, "prctl"):
            libc.prctl(pr_set_pdeathsig, number)

    return ask


def living_in(folder):
    """The servers whose working directory is `folder`; a shell someone left there is none."""
    found = set()
    target = str(folder.resolve())
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                here = str((entry / "cwd").readlink()) == target
                if here and (entry / "comm").read_text() == "postgres\n":
                    found.add(int(entry.name))
    return found


def end(pid, ended, patience=(60, 10)):
    """Stop a postmaster: fast, then at once. `ended` answers other than None when it has gone."""
    for number, seconds in zip((signal.SIGINT, signal.SIGQUIT), patience, strict=True):
        send(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if ended() is not None:
                return
            time.sleep(0.02)
    send(pid, signal.SIGKILL)


def send(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
