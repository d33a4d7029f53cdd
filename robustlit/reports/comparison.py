"""The report of several runs."""

from collections.abc import Sequence

from robustlit.reports.columns import column_keys, robust_key
from robustlit.reports.document import Document, Section
from robustlit.reports.groups import agree, group_runs
from robustlit.reports.loading import Failure
from robustlit.reports.sections.comparing import (
    best_group,
    comparison_table,
    failure_findings,
    failures,
    findings,
    not_alike,
    scatter,
)
from robustlit.reports.sections.differences import differences, paired
from robustlit.reports.sections.runs import runs
from robustlit.reports.view import View

__all__ = ["comparison_report"]


def comparison_report(views: Sequence[View], failed: Sequence[Failure]) -> tuple[Document, list[str]]:
    """Return the report, and the lines that the terminal gets.

    Args:
        views: At least two runs.
        failed: Jobs without a result.
    """
    groups = group_runs(views)
    ordered = [view for group in groups for view in group.views]
    keys = column_keys(ordered)
    agreed = agree(ordered, keys)
    robust = robust_key(keys)
    best = best_group(groups)
    told = findings(groups, ordered, agreed, robust, best)
    sections = [Section("", told), Section("Configurations", [comparison_table(groups, ordered, agreed, best)])]
    for part in (
        not_alike(ordered, agreed),
        failures(failed),
        scatter(groups, ordered, agreed, robust),
        paired(groups, ordered, agreed, best),
        differences(groups, best),
        runs(ordered, agreed),
    ):
        sections += part
    seeds = len(views) - len(groups)
    data = ", ".join(dict.fromkeys(view.data for view in views))
    several = f"{len(groups)} configurations, {len(views)} runs" if seeds else f"{len(views)} runs"
    lost = f", {len(failed)} failed" if failed else ""
    subtitle = (
        f"{several}{lost}. Means over seeds, ± the standard deviation of single runs; differences on the same images."
    )
    told[0].items[1:1] = failure_findings(failed)
    lines = [f"{each.topic}: {each.text}" for each in told[0].items]
    return Document(f"Comparison on {data}", subtitle, sections), lines
