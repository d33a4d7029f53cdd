"""Sentences about attacks."""

from collections.abc import Iterator

from robustlit.evaluation.base import Row
from robustlit.reports.document import Finding
from robustlit.reports.numbers import percent, span
from robustlit.reports.view import View, eps_text

__all__ = ["attack_findings", "attack_name", "strongest"]


def strongest(view: View) -> Row | None:
    """Return the figure to go by: of AutoAttack, else the worst of several attacks, else the lowest of any."""
    rows = list(view.attacks())
    for choice in ("auto_attack", "worst"):
        found = [row for row in rows if row.test == choice or row.metric.startswith(choice)]
        if found:
            return max(found, key=lambda row: float(row.conditions.get("eps") or 0))
    return min(rows, key=lambda row: (row.value, -float(row.conditions.get("eps") or 0)), default=None)


def attack_name(row: Row) -> str:
    """Return an attack with norm, eps and steps."""
    name = str(row.conditions.get("attack", row.metric))
    facts = eps_text(
        {**row.conditions, "steps": None} if ", " in str(row.conditions.get("steps", "")) else row.conditions
    )
    return f"{name} ({facts})" if facts else name


def attack_findings(view: View) -> Iterator[Finding]:
    """Say what the strongest attack leaves, and how small a change is enough."""
    row = strongest(view)
    if row is None:
        return
    clean = next((each for each in view.own if (each.test, each.metric) == (row.test, "clean")), view.clean)
    ends = f" ({span(row.low, row.high)})" if row.low is not None else ""
    of = f" of {percent(clean.value)}" if clean is not None else ""
    text = f"{attack_name(row)} leaves {percent(row.value)}{ends}{of}, n = {row.n:,}"
    half = _half(view, row, clean)
    yield Finding("Attacks", f"{text}{half}.", "bad" if clean is None or row.value < 0.7 * clean.value else "note")
    if row.test != "auto_attack" and not row.metric.startswith("worst"):
        yield Finding("Upper bound", "One attack bounds robustness from above: a stronger one may leave less.", "note")
    for each in view.attacks():
        if "warning" in each.conditions:
            yield Finding("Attacks", f"{each.conditions['warning']}.", "note")


def _half(view: View, row: Row, clean: Row | None) -> str:
    """At which eps of its ladder half of the score is gone."""
    if clean is None:
        return ""
    ladder = [each for each in view.attacks() if each.conditions.get("norm") == row.conditions.get("norm")]
    gone = next((each for each in ladder if each.value < clean.value / 2), None)
    if gone is None or gone is row or gone.conditions.get("eps") == row.conditions.get("eps"):
        return ""
    return f"; half of its score is gone at {eps_text({**gone.conditions, 'steps': None})} ({percent(gone.value)})"
