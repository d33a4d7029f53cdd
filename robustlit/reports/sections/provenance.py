"""The last part: what was trained how, which weights were tested, and by what."""

from collections.abc import Iterator

from robustlit.reports.document import Block, Section, Table
from robustlit.reports.loading import CHECKPOINTS
from robustlit.reports.numbers import percent, score_text, words
from robustlit.reports.view import View

__all__ = ["provenance"]


def provenance(view: View) -> Iterator[Section]:
    """Return the section."""
    blocks: list[Block] = [Table(["", ""], _facts(view))]
    table = _checkpoints(view)
    if len(table.rows) > 1:
        blocks.insert(0, table)
    yield Section("Provenance", blocks)


def _checkpoints(view: View) -> Table:
    """Last, best clean and best robust weights beside each other."""
    results = view.run.results
    tests = {name: rows for name, rows in results.tests.items() if rows}
    names = sorted(tests, key=lambda name: CHECKPOINTS.index(name) if name in CHECKPOINTS else len(CHECKPOINTS))
    wanted = list(dict.fromkeys((row.test, row.metric) for row in view.own if row.metric == view.score))
    lines = []
    for name in names:
        chosen = results.selected_on.get(name)
        how = "the last weights" if chosen is None else chosen.monitor
        score = "" if chosen is None or chosen.score is None else f"{percent(chosen.score)} in epoch {chosen.epoch}"
        found = {(row.test, row.metric): row for row in tests[name] if row.split == view.split}
        lines.append([name, how, score, *(score_text(found[key]) if key in found else "–" for key in wanted)])
    header = [
        "weights",
        "chosen by",
        "best on validation",
        *(f"{words(test)} {words(metric)}" for test, metric in wanted),
    ]
    return Table(
        header,
        lines,
        right=len(wanted),
        caption=f"The weights of this run, on the split {view.split}.",
        strong=[names.index(view.checkpoint)],
    )


def _facts(view: View) -> list[list[str]]:
    results, run = view.run.results, view.run
    lines = [
        [words(key).capitalize(), str(value)] for key, value in results.names.items() if value not in (None, "none", "")
    ]
    lines += [["Settings", " ".join(f"{key}={value}" for key, value in run.overrides.items())]] if run.overrides else []
    lines.append(["Seed of the run", str(results.seed)])
    if results.epochs:
        minutes = f"{results.seconds / 60:.1f} minutes"
        lines.append(["Training", f"{results.epochs} epochs, {results.steps:,} steps, {minutes}"])
    lines.append(["Weights", f"{view.checkpoint}{f', selected on {view.selected_on}' if view.selected_on else ''}"])
    lines += [[words(key).capitalize(), value] for key, value in _conditions(view)]
    if results.bad_images:
        shown = ", ".join(results.bad_images[:5])
        lines.append(
            ["Unreadable files", f"{len(results.bad_images):,}: {shown}{' …' if len(results.bad_images) > 5 else ''}"]
        )
    lines.append(["Folder", str(run.folder)])
    lines += [[words(str(key)), str(value)] for key, value in results.versions.items()]
    return lines


def _conditions(view: View) -> list[tuple[str, str]]:
    """The conditions of all figures, each with every value that occurs."""
    keys = ("preset", "size", "evaluation_seed", "storage", "frost", "masks", "precision", "version")
    found = []
    for key in keys:
        values = list(dict.fromkeys(str(row.conditions[key]) for row in view.rows if key in row.conditions))
        if values:
            found.append((f"robustlit {key}" if key == "version" else key, ", ".join(values)))
    counts = sorted({row.n for row in view.rows})
    found.append(("n", ", ".join(f"{n:,}" for n in counts)))
    return found
