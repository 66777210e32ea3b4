"""What the terminal shows of an import: how far it is, and what was wrong."""

SHOWN = 50
EVERY = 20_000


class Progress:
    """Told now and then how many rows are read, it writes a line every 20,000."""

    def __init__(self, out):
        self.out = out

    def __call__(self, rows):
        if rows % EVERY == 0:
            self.out.write(f"· {rows:,} rows read")


def report(problems, out):
    """Write the first problems, one a line: row, column, reason."""
    for problem in problems[:SHOWN]:
        where = f"row {problem['row']}" if problem["row"] else "header"
        parts = [where, problem["column"], problem["message"], f"({problem['code']})"]
        out.write(" · ".join(part for part in parts if part))
    if len(problems) > SHOWN:
        out.write(f"… {len(problems) - SHOWN:,} more; rejected rows are in the rejected file")
