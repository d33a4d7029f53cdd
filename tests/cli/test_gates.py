"""Thresholds: what they read, what holds, and what is said where they do not."""

import math

import pytest

from robustlit.cli.errors import UserError
from robustlit.cli.gates import check_keys, missed, read_gates
from robustlit.evaluation import Row

EXPECTED = ["clean/*", "common/accuracy", "common/mean_corruption_error", "common/accuracy/fog/3"]
ROWS = [
    Row("clean", "iid", "accuracy", 0.75, 0.7, 0.8, 1000),
    Row("clean", "far", "accuracy", 0.5, 0.4, 0.6, 1000),
    Row("clean", "far", "auroc", math.nan, None, None, 1000),
    Row("common", "iid", "accuracy", 0.6, None, None, 1000),
    Row("common", "iid", "mean_corruption_error", 0.4, None, None, 1000),
    Row("common", "far", "accuracy", 0.3, None, None, 1000),
]


def lines(under=(), over=(), rows=ROWS):
    return missed(read_gates(under, over), rows, EXPECTED, ["iid", "far"])


@pytest.mark.parametrize("word", ["iid/clean/accuracy=0.75", "clean/accuracy=0.5", "iid/common/accuracy=.6"])
def test_a_figure_at_its_threshold_holds(word):
    assert lines([word]) == []


def test_a_miss_says_what_was_expected_and_found():
    assert lines(["clean/accuracy=0.6"]) == [
        "far/clean/accuracy: expected at least 0.6, got 0.5000 (0.4000–0.6000), n = 1,000"
    ]
    assert lines(over=["iid/common/mean_corruption_error=0.35"]) == [
        "iid/common/mean_corruption_error: expected at most 0.35, got 0.4000, n = 1,000"
    ]
    assert lines(over=["iid/common/mean_corruption_error=0.4"]) == []


def test_a_figure_that_is_not_there_is_a_miss():
    assert lines(["common/accuracy/fog/3=0"]) == ["common/accuracy/fog/3: expected at least 0, got no figure"]
    assert lines(["far/clean/auroc=0"])[0].endswith("got nan, n = 1,000")
    assert lines(over=["common/mean_corruption_error=1"]) == [
        "far/common/mean_corruption_error: expected at most 1, got no figure"
    ]


@pytest.mark.parametrize("word", ["common/accuracy", "=0.5", "common/accuracy=high", "common/accuracy=nan", ""])
def test_what_is_no_threshold(word):
    with pytest.raises(UserError, match="expected KEY=NUMBER"):
        read_gates([word], [])


def test_the_other_end_is_an_error_that_names_the_other_option():
    with pytest.raises(UserError, match=r"try --fail-over common/calibration_error=0\.1"):
        read_gates(["common/calibration_error=0.1"], [])
    with pytest.raises(UserError, match=r"try --fail-under common/accuracy=0\.1"):
        read_gates([], ["common/accuracy=0.1"])


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("comon/accuracy", "common/accuracy"),
        ("iid/common/acuracy", "iid/common/accuracy"),
        ("idd/common/accuracy", "iid/common/accuracy"),
        ("common/accuracy/fog/6", "common/accuracy/fog/3"),
        ("accuracy", "clean/accuracy"),
    ],
)
def test_an_unknown_key_is_told_before_the_work(key, near):
    with pytest.raises(UserError, match=f"got '{key}'; try '{near}'"):
        check_keys(read_gates([f"{key}=0"], []), EXPECTED, ["iid", "far"])


@pytest.mark.parametrize(
    "key", ["clean/anything", "far/clean/accuracy", "common/accuracy/fog/3", "published/common/accuracy"]
)
def test_known_keys_pass(key):
    check_keys(read_gates([f"{key}=0"], []), EXPECTED, ["iid", "far"])


def test_a_metric_that_only_the_work_shows_to_be_unknown():
    with pytest.raises(UserError, match="got 'clean/acuracy'; try 'clean/accuracy'"):
        lines(["clean/acuracy=0"])


@pytest.mark.parametrize(
    "key", ["calibration/nll", "calibration_scaled/brier", "ood/fpr95/energy/textures", "slices/gap"]
)
def test_statistics_of_which_smaller_is_better(key):
    with pytest.raises(UserError, match=f"try --fail-over {key}=0.1"):
        read_gates([f"{key}=0.1"], [])
