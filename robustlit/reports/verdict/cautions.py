"""What a reader must know before believing a figure: selection, training and test that overlap."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from robustlit.families import RESEMBLES
from robustlit.reports.document import Finding
from robustlit.reports.numbers import words
from robustlit.reports.view import View

__all__ = ["cautions", "trained_on"]


def cautions(view: View) -> Iterator[Finding]:
    """Warn where figures say less than they seem to."""
    results = view.run.results
    for split in results.overlap:
        if view.checkpoint in results.selected_on and any(row.split == split for row in view.rows):
            text = (
                f"The images of the split {split} chose this checkpoint (by {view.selected_on}): its figures on them "
                "are not independent."
            )
            yield Finding("Overlap", text, "note")
    monitor = view.selected_on
    reported = [name for name in ("common", "bar", "corruption/mean") if name in monitor]
    if reported:
        yield Finding(
            "Overlap", f"The checkpoint was chosen by {monitor}, so that family is no independent one.", "note"
        )
    seen = trained_on(view.run.config)
    tested = {label.removesuffix("_procedural") for block in view.blocks for label in block.cells}
    both = [name for name in seen if name in tested]
    if both:
        names = ", ".join(f"{words(name)} ({seen[name]})" for name in both)
        yield Finding("Seen in training", f"Training images underwent {names}: not unseen there.", "note")
    if results.bad_images:
        yield Finding("Unreadable", f"{len(results.bad_images):,} files could not be read and were left out.", "note")


def trained_on(config: dict[str, Any]) -> dict[str, str]:
    """Return the corruptions that augmentations and transforms of training resemble: corruption → what does it."""
    found: dict[str, str] = {}
    nodes = config.get("augmentation")
    for node in nodes.values() if isinstance(nodes, dict) else ():
        target = str(node.get("_target_", "")) if isinstance(node, dict) else ""
        package, _, name = target.rpartition(".")
        if package.startswith("robustlit.augmentations"):
            resembles = getattr(getattr(import_module(package), name, None), "resembles", ())
            found.update(dict.fromkeys(resembles if isinstance(resembles, tuple | list) else (), name))
    data = config.get("data")
    for name in _classes(data.get("train_transforms") if isinstance(data, dict) else None):
        found.update(dict.fromkeys(RESEMBLES.get(name, ()), name))
    return found


def _classes(node: Any) -> Iterator[str]:
    """The names of the classes in a part of a configuration, nested ones too."""
    if isinstance(node, dict):
        yield str(node.get("_target_", "")).rpartition(".")[2]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in inner:
        yield from _classes(each)
