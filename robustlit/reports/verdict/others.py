"""Sentences about the other tests: confidence, foreign images, shape, background, shifts, slices, other data."""

from collections.abc import Iterator
from typing import Any

from robustlit.evaluation.base import OTHER, PUBLISHED, Row
from robustlit.reports.document import Finding
from robustlit.reports.numbers import percent, span, words
from robustlit.reports.view import View

__all__ = ["other_findings"]

_TESTS = ("shape_bias", "background", "shift", "ood", "calibration", "corrupted_calibration")


def other_findings(view: View) -> Iterator[Finding]:
    """Say what each of them found, where it was measured."""
    for write in (_classes, _calibration, _foreign, _shape, _background, _shift, _slices, _splits, _transfer):
        yield from write(view)


def _classes(view: View) -> Iterator[Finding]:
    """Which class of a mask corruptions cost most."""
    rows = [row for row in view.own if "class" in row.conditions and "under" not in row.conditions]
    known = [row for row in rows if row.conditions.get("clean") is not None]
    if not known:
        return
    row = max(known, key=lambda row: row.conditions["clean"] - row.value)
    clean = row.conditions["clean"]
    yield Finding(
        "Classes",
        f"Of the classes, {row.conditions['class']} loses most under {row.test}: IoU falls from {percent(clean)} to "
        f"{percent(row.value)}, n = {row.n:,}.",
        "bad" if clean - row.value > 0.05 else "note",
    )


def _calibration(view: View) -> Iterator[Finding]:
    metric = "calibration_error"
    clean, shifted = view.find("calibration", metric), view.find("corrupted_calibration", metric)
    clean = clean or view.find("clean", metric)
    block = view.block
    if shifted is None and block is not None:
        family = "common" if "common" in block.tests else next(iter(block.tests))
        shifted = view.find(family, metric)
    if clean is None:
        return
    text = f"Confidence is off by {percent(clean.value)} on clean images (ECE, n = {clean.n:,})"
    if shifted is not None:
        text += f" and by {percent(shifted.value)} under corruption"
    scaled = view.find("corrupted_calibration_scaled", metric) or view.find("calibration_scaled", metric)
    if scaled is not None:
        where = "there" if scaled.test.startswith("corrupted") else "on clean images"
        text += f"; with the temperature fitted on validation images by {percent(scaled.value)} {where}"
    worse = shifted is not None and shifted.value > clean.value + 0.03
    yield Finding("Confidence", f"{text}.", "bad" if worse or clean.value > 0.1 else "note")


def _foreign(view: View) -> Iterator[Finding]:
    area, accepted = view.find("ood", "auroc"), view.find("ood", "fpr95")
    if area is None:
        return
    text = f"Foreign images are told apart with an AUROC of {percent(area.value)}"
    if accepted is not None:
        text += f"; {percent(accepted.value)} of them pass where 95 % of the familiar ones do"
    sets = [row for row in view.of_test("ood") if row.metric.startswith("auroc/") and row.metric.count("/") == 2]
    if sets:
        worst = min(sets, key=lambda row: row.value)
        _, score, name = worst.metric.split("/")
        text += f"; the hardest set is {words(name)} ({percent(worst.value)} by {words(score)})"
    yield Finding("Foreign images", f"{text}.", "bad" if area.value < 0.9 else "good")


def _shape(view: View) -> Iterator[Finding]:
    row = view.find("shape_bias", "shape_bias") or next((row for row in view.rows if row.metric == "shape_bias"), None)
    if row is None:
        return
    follows = "texture rather than shape" if row.value < 0.5 else "shape rather than texture"
    if row.low is not None and row.high is not None and row.low <= 0.5 <= row.high:
        follows = "neither shape nor texture clearly"
    yield Finding(
        "Shape or texture",
        f"It follows {follows}: {percent(row.value)}{_ends(row)} of the decisions for either are for the shape, "
        f"n = {row.n:,}.",
        "bad" if row.value < 0.5 else "good",
    )


def _background(view: View) -> Iterator[Finding]:
    row = view.find("background", "gap/swapped") or view.find("background", "gap/removed")
    if row is None:
        return
    how = "another background" if row.metric.endswith("swapped") else "no background"
    clear = row.low is not None and row.low > 0
    yield Finding(
        "Background",
        f"On {how} the same objects cost {100 * row.value:.1f} points{_ends(row)}, n = {row.n:,}.",
        "bad" if clear and row.value > 0.02 else "good",
    )


def _shift(view: View) -> Iterator[Finding]:
    rows = [row for row in view.of_test("shift") if row.metric.startswith("consistency/")]
    if not rows:
        return
    row = min(rows, key=lambda row: row.value)
    pixels = row.metric.partition("/")[2]
    yield Finding(
        "Small shifts",
        f"{percent(row.value)}{_ends(row)} of the answers stay when images move by {pixels} "
        f"pixel{'' if pixels == '1' else 's'}, n = {row.n:,}.",
        "bad" if row.value < 0.95 else "good",
    )


def _slices(view: View) -> Iterator[Finding]:
    for record in view.records:
        known = [place for place, value in enumerate(record.data.get("value", ())) if value is not None]
        here = record.kind == "slices" and record.split in (view.split, OTHER, PUBLISHED)
        if not here or len(known) < 2 or record.test == "shape_bias":
            continue
        values: list[Any] = record.data["value"]
        worst, best = (choose(known, key=lambda place: values[place]) for choose in (min, max))
        column, metric = record.data.get("column") or record.name, record.data.get("metric") or view.score_words
        gap = view.find(record.test, f"gap/{record.name}")
        apart = "" if gap is None else f"; {100 * gap.value:.1f} points apart{_ends(gap)}"
        yield Finding(
            "Slices",
            f"By {words(str(column))}, {words(str(metric))} is lowest for {_slice(record.data, worst)} and highest for "
            f"{_slice(record.data, best)}{apart}.",
            "bad" if values[best] - values[worst] > 0.05 else "note",
        )


def _slice(data: dict[str, Any], place: int) -> str:
    ends = span(data["low"][place], data["high"][place])
    between = f" ({ends})" if ends else ""
    return f"{data['name'][place]}, {percent(data['value'][place])}{between}, n = {data['n'][place]:,}"


def _splits(view: View) -> Iterator[Finding]:
    """How far the clean score lies below on the other splits."""
    here = view.find("clean", view.score)
    rows = [row for row in view.rows if (row.test, row.metric) == ("clean", view.score) and row.split != view.split]
    if here is None or not rows:
        return
    row = min(rows, key=lambda row: row.value)
    gap = here.value - row.value
    yield Finding(
        "Other splits",
        f"On the split {row.split} {view.score_words} is {percent(row.value)}{_ends(row)}, against "
        f"{percent(here.value)} on {view.split}, n = {row.n:,}.",
        "bad" if gap > 0.03 else "note",
    )


def _transfer(view: View) -> Iterator[Finding]:
    """Scores on other data sets: tests of that split that have no sentence of their own."""
    for row in view.rows:
        if row.split == OTHER and row.metric == "accuracy" and row.test not in _TESTS:
            here = "" if view.clean is None else f", against {percent(view.clean.value)} on its own data"
            far = view.clean is not None and view.clean.value - row.value > 0.05
            yield Finding(
                "Other data",
                f"On {words(row.test)} accuracy is {percent(row.value)}{_ends(row)}{here}, n = {row.n:,}.",
                "bad" if far else "note",
            )


def _ends(row: Row) -> str:
    ends = span(row.low, row.high)
    return f" ({ends})" if ends else ""
