"""The report of one run."""

from robustlit.reports.document import Document, Section
from robustlit.reports.sections.attacks import attacks
from robustlit.reports.sections.classes import classes
from robustlit.reports.sections.corruptions import corruptions
from robustlit.reports.sections.figures import figures, published
from robustlit.reports.sections.kept import confidence, curves, pictures, slices
from robustlit.reports.sections.overview import overview
from robustlit.reports.sections.provenance import provenance
from robustlit.reports.view import View

__all__ = ["single_report"]


def single_report(view: View) -> Document:
    """Return the report of a checkpoint: the verdict first, where figures come from last."""
    sections: list[Section] = [overview(view)]
    for part in (published, corruptions, classes, attacks, confidence, slices, curves, pictures, figures, provenance):
        sections += part(view)
    results = view.run.results
    trained = f"seed {results.seed}, {results.epochs} epochs" if results.epochs else "trained elsewhere"
    with_what = results.names.get("augmentation")
    added = f", augmentation {with_what}" if with_what not in (None, "none", "") else ""
    where = f"Figures are of the test split “{view.split}” where none is named."
    subtitle = f"Weights {view.checkpoint}, {trained}{added}. {where}"
    return Document(f"Robustness of {view.model} on {view.data}", subtitle, sections)
