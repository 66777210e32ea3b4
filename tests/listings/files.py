"""Imports as an operator runs them: on a copy of a file, beside which rejected rows appear."""

import json
import shutil
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from python_calamine import CalamineWorkbook

DATA = Path(__file__).parent.parent / "data"


class Run:
    """One run of an import command: its summary, and what it wrote to the terminal."""

    def __init__(self, command, path, *args):
        out, err = StringIO(), StringIO()
        call_command(command, str(path), *args, stdout=out, stderr=err, no_color=True)
        self.summary = json.loads(out.getvalue().splitlines()[-1])
        self.said = err.getvalue()

    def __getattr__(self, name):
        return self.summary[name]

    def counts(self):
        return tuple(self.summary[k] for k in ("created", "updated", "unchanged", "rejected"))

    def came_back(self):
        """{row number: reason} of the rejected rows' file."""
        if not self.rejected_file:
            return {}
        rows = CalamineWorkbook.from_path(self.rejected_file).get_sheet_by_index(0).to_python()
        return {int(number): reason for number, reason, *_cells in rows[1:]}


def copy(name, folder):
    return Path(shutil.copy(DATA / name, folder))


def write(folder, text, *, name="file.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path
