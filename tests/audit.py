"""`make audit`: does anything we install have a known vulnerability?

Asks PyPI by pip-audit, of what `requirements.txt` pins. Fails over a finding, unless
`audit.toml` names it with a reason. Where nobody answers, behind a mirror or with no network, it
says that nothing was checked and lets `make lint` go on.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 20  # seconds for all packages together; with an answer it takes some five
COMMAND = (
    sys.executable, "-m", "pip_audit", "--requirement", "requirements.txt", "--no-deps",
    "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "3",
)  # fmt: skip
UNCHECKED = "审计未进行：查不到漏洞库 · nothing was audited: no vulnerability service answered"


def main():
    allowed = tomllib.loads((ROOT / "audit.toml").read_text())["allowed"]
    lines, failed = verdict(ask(), allowed)
    for line in lines:
        print(line)
    return 1 if failed else 0


def ask():
    """What pip-audit found, package by package; nothing if nobody answered in time."""
    try:
        done = subprocess.run(
            COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return []


def verdict(packages, allowed):
    """What to say of the packages, and whether one has a vulnerability that nobody allowed."""
    checked = [package for package in packages if "skip_reason" not in package]
    if not checked:
        return [UNCHECKED], False
    found = {
        (package["name"], package["version"], one["id"]): one
        for package in checked
        for one in package["vulns"]
    }
    lines = [f"审计了 {len(checked)}/{len(packages)} 个包 · packages audited"]
    bad = []
    for (name, version, number), one in found.items():
        reason = next((allowed[i] for i in (number, *one["aliases"]) if i in allowed), None)
        fixed = ", ".join(one["fix_versions"]) or "-"
        line = f"{name} {version}: {number} (fixed in {fixed})"
        lines.append(f"{line} · allowed: {reason}" if reason else f"✗ {line}")
        bad += [] if reason else [line]
    return lines, bool(bad)


if __name__ == "__main__":
    sys.exit(main())
