"""What was measured, for people (`report.md`) and for machines (`report.json`)."""

import json
import os
import platform
from pathlib import Path

FOLDER = Path(__file__).parent


def machine(connection):
    """What the figures were taken on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    with connection.cursor() as cursor:
        cursor.execute("select version(), current_setting('fsync')")
        version, fsync = cursor.fetchone()
    return {
        "cpu": f"{os.cpu_count()} × {cpu}",
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "postgresql": version.split(" on ")[0].removeprefix("PostgreSQL "),
        "fsync": fsync,
    }


def line(figure, measures):
    """One figure as plain data."""
    ours, *limits = measures
    return {
        "name": figure.name,
        "title": figure.title,
        "beside": list(figure.beside),
        "aims": list(figure.aims),
        "p99_aim_ms": figure.p99_ms,
        "ours": _plain(ours),
        "limits": [
            {**_plain(limit), "times_the_limit": round(_each(ours) / _each(limit), 2)}
            for limit in limits
        ],
    }


def _each(measure):
    return measure.seconds / measure.count


def _plain(measure):
    plain = {
        "count": measure.count,
        "unit": measure.unit,
        "seconds": round(measure.seconds, 3),
        "per_second": round(measure.per_second, 1),
        "note": measure.note,
    }
    if len(measure.single) > 1:
        plain |= {f"p{share}_ms": round(measure.percentile(share) * 1000, 2) for share in (50, 99)}
    return plain


def write(runs, *, about, scale, started, order):
    """Write both files; returns the path of the one for people.

    `runs` is a list of (entries in force, figures' lines), the smallest first. A figure that was
    not measured now stays as it was, with its own day, where the scale was the same; `order`
    are the names of all figures there are.
    """
    for _entries, lines in runs:
        for one in lines:
            one["measured"] = started
    runs = _with_earlier(runs, scale, order)
    plain = [{"entries": entries, "figures": lines} for entries, lines in runs]
    everything = {"started": started, "scale": scale, "machine": about, "runs": plain}
    (FOLDER / "report.json").write_text(json.dumps(everything, ensure_ascii=False, indent=2) + "\n")
    text = [
        "# Benchmark",
        "",
        f"{started}, scale {scale:g}. " + ", ".join(f"{k} {v}" for k, v in about.items()) + ".",
        "",
        "Each figure stands beside its physical limit, measured in the same run on the same data.",
    ]
    for entries, lines in runs:
        text += ["", f"## Among {entries:,} entries in force", "", *_HEAD]
        text += [row for one in lines for row in _rows(one)]
    if len(runs) > 1:
        text += ["", "## Growth", "", *_growth(runs[0], runs[-1])]
    (FOLDER / "report.md").write_text("\n".join(text) + "\n")
    return FOLDER / "report.md"


def _with_earlier(runs, scale, order):
    kept = FOLDER / "report.json"
    before = json.loads(kept.read_text()) if kept.exists() else {}
    if before.get("scale") != scale:
        return runs
    found = {run["entries"]: {one["name"]: one for one in run["figures"]} for run in before["runs"]}
    for entries, lines in runs:
        found.setdefault(entries, {}).update({one["name"]: one for one in lines})
    return [
        (entries, [figures[name] for name in order if name in figures])
        for entries, figures in sorted(found.items())
    ]


_HEAD = [
    "| figure | ours | beside | limit | times the limit | aim | measured |",
    "|---|---|---|---|---|---|---|",
]


def _growth(small, large):
    """How the time of one thing, and the slowest of a hundred, grows with the entries."""
    yield f"| figure | at {small[0]:,} | at {large[0]:,} | times |"
    yield "|---|---|---|---|"
    before = {one["name"]: one for one in small[1]}
    for one in large[1]:
        for unit, of in (("ms each", _ms_each), ("ms p99", lambda plain: plain.get("p99_ms"))):
            was = of(before[one["name"]]["ours"]) if one["name"] in before else None
            now = of(one["ours"])
            if was and now:
                words = f"{one['title']}, {unit}"
                yield _row(words, f"{was:.3g}", f"{now:.3g}", f"{now / was:.2g}")


def _ms_each(plain):
    return plain["seconds"] * 1000 / plain["count"]


def _rows(one):
    """A row for each limit, with its aim."""
    for place, (beside, limit) in enumerate(zip(one["beside"], one["limits"], strict=True)):
        first, aim = place == 0, one["aims"][place]
        aims = [f"≤ {aim:g}"] if aim else []
        if first and one["p99_aim_ms"]:
            aims.append(f"p99 ≤ {one['p99_aim_ms']:g} ms")
        yield _row(
            one["title"] if first else "",
            _words(one["ours"]) if first else "",
            beside,
            _words(limit),
            f"{limit['times_the_limit']:g}",
            "; ".join(aims) or "—",
            one["measured"][:10] if first else "",
        )


def _row(*cells):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _words(plain):
    words = f"{plain['count']:,} {plain['unit']} in {plain['seconds']:g} s"
    words += f" ({plain['per_second']:,.0f}/s)"
    if "p50_ms" in plain:
        words += f", p50 {plain['p50_ms']:g} ms, p99 {plain['p99_ms']:g} ms"
    return words + (f"; {plain['note']}" if plain["note"] else "")
