"""The clean test: rows from logged metrics."""

import pytest

from robustlit.evaluation.clean import rows


def test_rows_follow_the_splits_and_keep_to_the_test_keys():
    metrics = {"test/b/accuracy": 0.5, "test/a/accuracy": 1.0, "val/accuracy": 0.1, "test/a/iou/road": 0.25}
    found = rows("clean", metrics, {"a": 10, "b": 20})
    assert [(row.split, row.metric, row.value, row.n) for row in found] == [
        ("a", "accuracy", 1.0, 10),
        ("a", "iou/road", 0.25, 10),
        ("b", "accuracy", 0.5, 20),
    ]
    assert all(row.low is None and row.high is None for row in found)


def test_rates_carry_the_interval_of_wilson():
    (row,) = rows("clean", {"test/a/accuracy": 0.9}, {"a": 10}, rates=("accuracy",))
    assert row.low == pytest.approx(0.5958, abs=1e-4)  # Newcombe (1998): 9 of 10 gives 0.5958 to 0.9821
    assert row.high == pytest.approx(0.9821, abs=1e-4)
