"""The verdict: what was measured, worst first, and what must be known to read it."""

from robustlit.reports.document import Finding
from robustlit.reports.verdict.attacks import attack_findings
from robustlit.reports.verdict.cautions import cautions
from robustlit.reports.verdict.corruptions import corruption_findings
from robustlit.reports.verdict.others import other_findings
from robustlit.reports.view import View

__all__ = ["verdict"]

_ORDER = {"bad": 0, "good": 1, "note": 2}


def verdict(view: View) -> list[Finding]:
    """Return the sentences: what breaks the model, what does not, and what limits the figures."""
    found = [*corruption_findings(view), *attack_findings(view), *other_findings(view), *cautions(view)]
    if not any(each.level == "bad" for each in found):
        found.insert(0, _nothing(view))
    return sorted(found, key=lambda each: _ORDER[each.level])


def _nothing(view: View) -> Finding:
    tested = list(dict.fromkeys(row.test for row in view.rows))
    if tested == ["clean"]:
        text = "Only clean images were tested, which tells no robustness; try evaluation=[corruptions,adversarial]."
        return Finding("Not tested", text, "bad")
    return Finding(
        "Nothing broke it", f"None of the tests that were run ({', '.join(tested)}) breaks this model.", "good"
    )
