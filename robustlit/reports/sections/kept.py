"""The parts made of what tests kept: reliability, curves, slices, pictures; and explanations of failures."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from robustlit.evaluation.records import Record
from robustlit.reports.charts import Line, Range, line_chart, range_chart, reliability_chart
from robustlit.reports.document import Block, Chart, Photo, Section
from robustlit.reports.numbers import percent, words
from robustlit.reports.view import View

__all__ = ["confidence", "curves", "pictures", "slices"]

_WIDEST = 1100  # pixels: pictures are shown at half of it or less
_LARGEST = 400_000  # bytes of a picture in all its colours
_PANELS = 4
_FIRST = ("failures", "flips", "probe", "corruptions")  # the panels that tell most of failures come first


def confidence(view: View) -> Iterator[Section]:
    """Reliability diagrams, of clean and of corrupted images."""
    found = _of(view, "reliability")
    if found:
        yield Section("Confidence", [_reliability(pair) for pair in _pairs(found)])


def curves(view: View) -> Iterator[Section]:
    """Every curve that a test kept, those of one test and label together."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in _of(view, "curve"):
        key = (record.test, str(record.data["x_label"]), str(record.data["y_label"]))
        groups.setdefault(key, []).append(record)
    blocks: list[Block] = []
    for (test, x_label, y_label), records in groups.items():
        lines = [_line(record, len(records)) for record in records if len(record.data["x"]) > 1][:8]
        if lines:
            roc = "false" in x_label.lower() or "roc" in str(records[0].data["title"]).lower()
            chart = line_chart(
                lines, x_label=x_label, y_label=y_label, y_range=_range(lines), percent=_share(lines), diagonal=roc
            )
            title = str(records[0].data["title"]) if len(records) == 1 else f"{words(test)}: {y_label} over {x_label}"
            blocks.append(Chart(chart, f"{title}.", half=True))
    if blocks:
        yield Section("Curves", blocks)


def slices(view: View) -> Iterator[Section]:
    """Scores by metadata, the lowest first."""
    blocks: list[Block] = []
    for record in _of(view, "slices"):
        data = record.data
        known = [place for place, value in enumerate(data["value"]) if value is not None]
        order = sorted(known, key=lambda place, values=data["value"]: values[place])[:20]  # type: ignore[misc]
        ranges = [
            Range(
                str(data["name"][place]),
                data["value"][place],
                data["low"][place],
                data["high"][place],
                f"{percent(data['value'][place])}, n = {data['n'][place]:,}",
            )
            for place in order
        ]
        if ranges:
            metric = words(str(data.get("metric") or view.score_words))
            column = words(str(data.get("column") or record.name or record.test))
            clean = view.clean.value if view.clean is not None and metric == view.score else None
            chart = range_chart(ranges, label=metric, reference=clean, title=f"{metric} by {column}")
            dashed = "" if clean is None else " The dashed line is the clean score of all images."
            blocks.append(
                Chart(chart, f"{metric.capitalize()} by {column}, lowest first, with 95 % intervals.{dashed}")
            )
    if blocks:
        yield Section("Slices", blocks)


def pictures(view: View) -> Iterator[Section]:
    """Pictures of the worst cells, and the explanation panels that training left."""
    kept: list[Block] = [
        Photo(_png(record), _caption(record), half=True)
        for record in _of(view, "picture")
        if record.data.get("image") is not None
    ]
    if kept:
        yield Section("What fails", kept)
    panels = _panels(view.run.pictures, view.run.folder / "explanations")
    if panels:
        yield Section("What it looks at", panels)


def _of(view: View, kind: str) -> list[Record]:
    """The records of a kind on the split, or on other data."""
    from robustlit.evaluation.base import OTHER, PUBLISHED

    places = (view.split, OTHER, PUBLISHED)
    own = [record for record in view.records if record.kind == kind and record.split in places]
    others = [record for record in view.records if record.kind == kind and record.split not in places]
    tests = {record.test for record in own}
    return own + [record for record in others if record.test not in tests]


def _pairs(found: Sequence[Record]) -> list[list[Record]]:
    """Put a diagram and its scaled twin together."""
    names = {record.name: record for record in found}
    scaled = {name for name in names if name.endswith("_scaled") and name.removesuffix("_scaled") in names}
    return [
        [record, *([names[f"{record.name}_scaled"]] if f"{record.name}_scaled" in scaled else [])]
        for record in found
        if record.name not in scaled
    ]


def _reliability(pair: Sequence[Record]) -> Chart:
    series = [
        (
            "as it is" if number == 0 else f"temperature {float(record.data.get('temperature') or 1):.2f}",
            record.data["confidence"],
            record.data["accuracy"],
            record.data["count"],
        )
        for number, record in enumerate(pair)
    ]
    name = words(pair[0].name or pair[0].test)
    errors = " and ".join(percent(record.data["ece"]) for record in pair)
    caption = (
        f"{name.capitalize()} images: how often answers of a confidence are right. On the dashed line a model knows "
        f"how sure it may be; below it, it is too sure. Calibration error {errors}, "
        f"{sum(pair[0].data['count']):,} answers."
    )
    return Chart(reliability_chart(series, f"reliability, {name}"), caption, half=True)


def _line(record: Record, of: int) -> Line:
    data = record.data
    points = [(x, y) for x, y in zip(data["x"], data["y"], strict=True) if x is not None and y is not None]
    low, high = data.get("low") or [], data.get("high") or []
    label = words(record.name.rpartition("/")[2] or record.test).removeprefix("roc ") if of > 1 else ""
    return Line(label, [x for x, _ in points], [y for _, y in points], low, high, marks=len(points) <= 20)


def _share(lines: Sequence[Line]) -> bool:
    return all(0 <= y <= 1 for line in lines for y in line.y)


def _range(lines: Sequence[Line]) -> tuple[float, float] | None:
    return (0.0, 1.0) if _share(lines) else None


def _caption(record: Record) -> str:
    caption = str(record.data.get("caption") or record.name)
    if record.test in ("common", "extra", "bar", "own", "adversarial"):
        return f"{caption}. Above: as it is, and the true answer. Below: changed, and its answer; lost ones come first."
    return caption


def _png(record: Record) -> bytes:
    from PIL import Image

    return _file(Image.fromarray(record.data["image"]))


def _panels(files: Sequence[Path], folder: Path) -> list[Block]:
    from PIL import Image

    def rank(path: Path) -> tuple[int, str]:
        name = path.relative_to(folder).as_posix()
        return next((place for place, word in enumerate(_FIRST) if word in name), len(_FIRST)), name

    found: list[Block] = []
    for path in sorted(files, key=rank)[:_PANELS]:
        try:
            with Image.open(path) as picture:
                found.append(Photo(_file(picture.convert("RGB")), _panel_caption(path, folder), half=True))
        except OSError:
            continue  # a picture that is being written
    return found


def _panel_caption(path: Path, folder: Path) -> str:
    name = words(path.relative_to(folder).with_suffix("").as_posix()).replace("/", ", ")
    return f"Explanations, {name}: the latest picture of training, of validation images."


def _file(picture: "object") -> bytes:
    """A picture no wider than the page, as PNG; with fewer colours where it would be large."""
    from PIL import Image

    if not isinstance(picture, Image.Image):
        raise TypeError(f"expected a picture, got {type(picture).__name__}; try PIL.Image.fromarray")
    if picture.width > _WIDEST:
        picture = picture.resize((_WIDEST, round(picture.height * _WIDEST / picture.width)), Image.Resampling.LANCZOS)
    whole, few = io.BytesIO(), io.BytesIO()
    picture.save(whole, "PNG", optimize=True)
    if whole.tell() <= _LARGEST:
        return whole.getvalue()
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(few, "PNG", optimize=True)
    return few.getvalue()
