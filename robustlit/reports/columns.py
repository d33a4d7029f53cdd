"""Which figures stand for a run where several runs are compared."""

from collections.abc import Sequence

from robustlit.reports.corruption_blocks import TITLES
from robustlit.reports.numbers import words
from robustlit.reports.view import View

__all__ = ["Key", "column_keys", "column_name", "robust_key", "shared_split"]

Key = tuple[str, str, str]  # test, split, metric

_ONE = {  # of tests with several figures, those that stand for them
    "calibration": ("calibration_error",),
    "corrupted_calibration": ("calibration_error",),
    "ood": ("auroc", "fpr95"),
    "shape_bias": ("shape_bias",),
    "background": ("gap/swapped",),
    "shift": ("consistency",),
}
_LEFT_OUT = ("calibration_scaled", "corrupted_calibration_scaled")
_ROBUST = (
    ("common", None),
    ("auto_attack", None),
    ("adversarial", "worst"),
    ("adversarial", "pgd"),
    ("bar", None),
    ("extra", None),
)


def shared_split(views: Sequence[View]) -> str:
    """Return the split that most runs are reported on."""
    splits = [view.split for view in views]
    return max(dict.fromkeys(splits), key=splits.count)


def column_keys(views: Sequence[View]) -> list[Key]:
    """Return the figures of whole tests that at least one run has, clean ones first."""
    found: dict[Key, None] = {}
    split = shared_split(views)
    for view in views:
        for row in view.rows:
            own = row.split in (split, "other", "published")
            if own and row.test not in _LEFT_OUT and _stands(row.test, row.metric, view.score):
                found.setdefault((row.test, row.split, row.metric))
    order = ["clean", *TITLES, "adversarial", "auto_attack"]
    return sorted(found, key=lambda key: order.index(key[0]) if key[0] in order else len(order))


def column_name(key: Key) -> str:
    """Write the title of a column.

    Example:
        >>> column_name(("common", "iid", "accuracy")), column_name(("adversarial", "iid", "pgd_linf_8of255"))
        ('COMMON', 'PGD Linf 8/255')
        >>> column_name(("ood", "iid", "auroc"))
        'ood: auroc'
    """
    test, _, metric = key
    if test in TITLES:
        return TITLES[test]
    if test in ("adversarial", "auto_attack"):
        name = metric if test == "adversarial" else f"AutoAttack_{metric}"
        text = name.replace("of255", "/255").replace("_linf_", " Linf ").replace("_l2_", " L2 ").replace("_l1_", " L1 ")
        return text.replace("pgd", "PGD").replace("seg_PGD", "SegPGD").replace("_", " ")
    if test == "clean":
        return f"{test} {metric}"
    return words(test) if metric in ("accuracy", "iou") else f"{words(test)}: {words(metric)}"


def robust_key(keys: Sequence[Key]) -> Key | None:
    """Return the figure of robustness that is drawn against clean: COMMON, else an attack, else another family."""
    for test, beginning in _ROBUST:
        found = [key for key in keys if key[0] == test and (beginning is None or key[2].startswith(beginning))]
        if found:
            return found[-1]
    return None


def _stands(test: str, metric: str, score: str) -> bool:
    if test in _ONE:
        return metric in _ONE[test]
    if test in ("adversarial", "auto_attack"):
        return metric != "clean" and "/" not in metric
    return metric in (score, "accuracy")
