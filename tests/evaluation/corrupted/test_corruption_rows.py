"""Rows of a family: means, intervals, and never mCE unless it is."""

import pytest

from robustlit.corruptions import COMMON
from robustlit.evaluation.corrupted.corruption_rows import corruption_keys, corruption_rows
from robustlit.metrics.cells import CLEAN, CellScore

MEASURED = {
    CLEAN: CellScore(0.8, 50, 0.7, 0.9, 0.1),
    ("fog", 1): CellScore(0.6, 50, 0.5, 0.7, 0.2),
    ("fog", 2): CellScore(0.4, 50, 0.3, 0.5, 0.4),
    ("snow", 1): CellScore(0.2, 40, 0.1, 0.3, 0.6),
}
CELLS = [cell for cell in MEASURED if cell != CLEAN]


def found(measured=MEASURED, cells=CELLS, mce_refusal="no"):
    rows = corruption_rows("own", "iid", "accuracy", measured, cells, {"preset": "cifar"}, mce_refusal)
    return {row.metric: row for row in rows}


def test_means_and_cells_are_those_of_the_scores():
    rows = found()
    expected = {
        "accuracy": 0.35,
        "clean": 0.8,
        "relative": 0.35 / 0.8,
        "mean_corruption_error": 0.65,
        "calibration_error": 0.45,
        "accuracy/fog": 0.5,
        "accuracy/snow": 0.2,
        "accuracy/fog/1": 0.6,
        "accuracy/fog/2": 0.4,
        "accuracy/snow/1": 0.2,
    }
    assert {metric: row.value for metric, row in rows.items()} == pytest.approx(expected)
    assert (rows["accuracy"].n, rows["accuracy/fog/1"].n, rows["accuracy/snow/1"].n) == (40, 50, 40)
    assert (rows["accuracy/fog/2"].low, rows["accuracy/fog/2"].high) == (0.3, 0.5)
    assert rows["accuracy/fog/2"].conditions == {"preset": "cifar", "corruption": "fog", "severity": 2}
    assert rows["mean_corruption_error"].conditions["not_mce"] == "no"


def test_means_by_kind_and_without_the_noises():
    """Means over severities, then over the corruptions of a kind; without noise they are over those of all others."""
    errors = {("shot_noise", 1): 0.9, ("shot_noise", 2): 0.7, ("fog", 1): 0.2, ("snow", 1): 0.4, ("pixelate", 3): 0.6}
    measured = {cell: CellScore(1 - error, 50, 0.0, 1.0, 0.1) for cell, error in errors.items()}
    rows = found(measured=measured, cells=list(measured))
    kinds = {name: row.value for name, row in rows.items() if name.startswith("mean_corruption_error/")}
    wanted = {"noise": 0.8, "weather": 0.3, "digital": 0.6, "without_noise": 0.4}
    assert kinds == pytest.approx({f"mean_corruption_error/{kind}": value for kind, value in wanted.items()})
    keys = corruption_keys("own", "accuracy", list(measured))
    assert {f"own/{name}" for name in kinds} <= set(keys)
    assert not any("noise" in key and "error" in key for key in corruption_keys("own", "accuracy", CELLS))


def test_the_keys_are_known_before():
    certain = {key for key in corruption_keys("own", "accuracy", CELLS) if not key.endswith("mce")}
    assert certain == {f"own/{metric}" for metric in found()}


def test_without_clean_images_there_is_no_relative_figure():
    rows = found(measured={cell: MEASURED[cell] for cell in CELLS})
    assert not {"clean", "relative", "relative_mce"} & set(rows)


def test_mce_only_where_nothing_speaks_against_it():
    assert not {"mce", "relative_mce"} & set(found())
    cells = [(name, severity) for name in COMMON for severity in (1, 2, 3, 4, 5)]
    measured = dict.fromkeys([CLEAN, *cells], CellScore(0.5, 9, 0.2, 0.8, 0.1))
    rows = found(measured=measured, cells=cells, mce_refusal=None)
    assert rows["mce"].value == pytest.approx(sum(50 / error for error in ALEXNET) / 15, abs=1e-5)
    assert "not_mce" not in rows["mean_corruption_error"].conditions


ALEXNET = (  # Hendrycks and Dietterich 2019, their code's normalisation, in percent
    88.6428, 89.4468, 92.2640, 81.9880, 82.6268, 78.5976, 79.8360, 86.6816, 82.6572, 81.9324, 56.4592, 85.3204,
    64.6056, 71.7840, 60.6500,
)  # fmt: skip
