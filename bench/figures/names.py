"""Names compared: how right, on a labelled set, and how fast."""

import csv
from pathlib import Path

from bench.frame import figure, timed
from parties.identity import compare_names

PAIRS = Path(__file__).parent.parent / "names.csv"
CODES = {"": None, "same": True, "different": False}
ROUNDS = 30


def pairs():
    """[(one, other, whether the codes agree, what a registry clerk would say)]."""
    with PAIRS.open() as file:
        rows = list(csv.DictReader(file))
    return [(row["one"], row["other"], CODES[row["codes"]], row["verdict"]) for row in rows]


def scores(labelled):
    """{what: (precision, recall)} of "same", and of "near": same or a candidate."""
    said = [
        (compare_names(one, other, codes_agree=codes).verdict, verdict)
        for one, other, codes, verdict in labelled
    ]
    return {
        "same": _score(said, {"same"}),
        "near": _score(said, {"same", "candidate"}),
    }


def _score(said, wanted):
    both = sum(ours in wanted and label in wanted for ours, label in said)
    ours = sum(ours in wanted for ours, _label in said)
    labels = sum(label in wanted for _ours, label in said)
    return both / ours, both / labels


def _compare(labelled):
    for _round in range(ROUNDS):
        for one, other, codes, _verdict in labelled:
            compare_names(one, other, codes_agree=codes)


def _equal(labelled):
    for _round in range(ROUNDS):
        for one, other, _codes, _verdict in labelled:
            one == other  # noqa: B015 - the bare comparison is the limit


@figure("names compared, a labelled set of pairs", beside="the same strings compared by ==")
def names(bench):
    labelled = pairs()
    ours = timed(len(labelled) * ROUNDS, _compare, labelled, unit="pairs")
    found = scores(labelled)
    ours.note = f"{len(labelled)} labelled pairs; " + "; ".join(
        f"{what}: precision {precision:.3f}, recall {recall:.3f}"
        for what, (precision, recall) in found.items()
    )
    return ours, timed(len(labelled) * ROUNDS, _equal, labelled, unit="pairs")
