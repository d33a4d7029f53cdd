"""What is printed and written of a corruption test."""

import csv
import math

import numpy as np
import pytest
from PIL import Image

from robustlit.evaluation import Row
from robustlit.evaluation.corrupted.corruption_rows import corruption_rows
from robustlit.metrics.cells import CLEAN, CellScore
from robustlit.reports import Chosen, Results, corruption_tables, results_table, write_results
from tests.reports.run_folders import CONDITIONS


def cell(score: float, n: int = 200) -> CellScore:
    return CellScore(score, n, score - 0.05, score + 0.05, 0.1)


def rows(family, scores, split="iid", clean=0.9, **conditions):
    """Rows of some cells, as a corruption test returns them."""
    measured = {found: cell(score) for found, score in scores.items()}
    measured |= {} if clean is None else {CLEAN: cell(clean)}
    return corruption_rows(family, split, "accuracy", measured, list(scores), CONDITIONS | conditions, "not ImageNet")


COMMON = rows(
    "common", {("fog", 1): 0.8, ("fog", 2): 0.6, ("shot_noise", 1): 0.5, ("shot_noise", 2): 0.25}, cells="4 of 75"
)
EXTRA = rows("extra", {("saturate", 1): 0.75, ("saturate", 2): 0.65}, cells="2 of 20")
CLEAN_ROW = Row("clean", "iid", "accuracy", 0.9, 0.85, 0.94, 200)


def results(**tests) -> Results:
    return Results(names={}, seed=0, tests=tests, selected_on={"best_clean": Chosen("val/accuracy")})


def test_the_table_has_every_cell_by_family_with_its_mean_and_provenance():
    (table,) = corruption_tables(results(best_clean=[CLEAN_ROW, *COMMON, *EXTRA]))
    lines = table.splitlines()
    assert lines[0] == "best_clean · iid · accuracy in %, by corruption and severity"
    assert lines[1].split() == ["1", "2", "mean"]
    body = [line.split() for line in lines[3:]]
    assert body[:7] == [
        ["clean", "90.0"],
        ["noise"],
        ["shot_noise", "50.0", "25.0", "37.5"],
        ["weather"],
        ["fog", "80.0", "60.0", "70.0"],
        ["extra"],
        ["saturate", "75.0", "65.0", "70.0"],
    ]
    assert body[7:9] == [["mean", "of", "common", "53.8"], ["mean", "of", "extra", "70.0"]]
    assert lines[-3] == "common: mean over 4 of 75 cells"
    assert lines[-1] == (
        "preset cifar · 32×32 · n = 200 · evaluation seed 0 · frost procedural · storage none · masks as published · "
        "precision 32-true · robustlit 0.1.0 · best_clean selected on val/accuracy"
    )
    assert "mce" not in table.lower()


def test_frost_stands_where_it_belongs_whatever_its_textures():
    (table,) = corruption_tables(results(last=rows("common", {("fog", 1): 0.5, ("frost_procedural", 1): 0.5})))
    words = [line.split()[0] for line in table.splitlines()[3:]]
    assert words[:4] == ["clean", "weather", "frost_procedural", "fog"]


def test_checkpoints_of_the_same_figures_share_a_table_and_splits_do_not():
    far = rows("common", {("fog", 1): 0.5}, split="far")
    tables = corruption_tables(results(best_clean=[*COMMON, *far], last=[*COMMON, *far]))
    assert [table.splitlines()[0].split(" · ")[:2] for table in tables] == [
        ["best_clean = last", "iid"],
        ["best_clean = last", "far"],
    ]


def test_figures_of_other_conditions_are_never_in_one_table():
    other = rows("extra", {("saturate", 1): 0.5}, storage="jpeg85")
    assert len(corruption_tables(results(last=[*COMMON, *other]))) == 2
    assert len(corruption_tables(results(last=[*COMMON, *EXTRA]))) == 1


def test_a_set_without_clean_images_and_without_severities():
    found = rows(
        "acdc", {("fog", 0): 0.4, ("night", 0): 0.2}, "published", None, set="acdc", missing="rain", cells="2 of 3"
    )
    (table,) = corruption_tables(results(last=found))
    assert table.splitlines()[0] == "last · acdc · accuracy in %, by corruption and severity"
    body = [line.split() for line in table.splitlines()[3:]]
    assert body[:5] == [["weather"], ["fog", "40.0"], ["other"], ["night", "20.0"], ["mean", "of", "acdc", "30.0"]]
    assert "acdc: mean over 2 of 3 cells, without rain" in table


def test_means_have_a_table_of_their_own_beside_the_clean_test():
    clean, means = results_table(results(last=[CLEAN_ROW, *COMMON, *EXTRA])).split("\n\n")
    assert clean.splitlines()[0].split() == ["checkpoint", "test", "split", "n", "accuracy"]
    lines = means.splitlines()
    assert lines[1].split()[:7] == ["checkpoint", "test", "split", "n", "cells", "accuracy", "mean_corruption_error"]
    assert lines[3].split()[:9] == ["last", "common", "iid", "200", "4", "of", "75", "0.5375", "0.4625"]
    assert len(lines) == 5


def test_tests_of_other_metrics_have_tables_of_their_own():
    found = [CLEAN_ROW]
    for test, *metrics in (
        ("ood", "auroc", "fpr95"),
        ("calibration", "nll", "brier"),
        ("calibration_scaled", "nll", "brier", "temperature"),
    ):
        found += [Row(test, "iid", metric, 0.5, None, None, 200) for metric in metrics]
    tables = results_table(results(last=found)).split("\n\n")
    assert [table.splitlines()[0].split()[4:] for table in tables] == [
        ["accuracy"],
        ["auroc", "fpr95"],
        ["nll", "brier", "temperature"],
    ]
    assert [line.split()[1] for line in tables[2].splitlines()[2:]] == ["calibration", "calibration_scaled"]


def test_mce_is_a_column_only_where_there_is_one():
    assert "mce" not in results_table(results(last=COMMON))
    with_mce = [*COMMON, Row("common", "iid", "mce", 0.75, None, None, 200, CONDITIONS)]
    assert "mce" in results_table(results(last=with_mce)).splitlines()[1].split()


def test_a_result_file_comes_with_csv_and_pictures(tmp_path):
    nan = Row("clean", "iid", "auroc", math.nan, None, None, 200)
    known = results(best_clean=[CLEAN_ROW, nan, *COMMON], last=[CLEAN_ROW, *EXTRA])
    files = write_results(known, tmp_path / "new" / "epoch=3.5.json")
    assert [file.name for file in files] == [
        "epoch=3.5.json",
        "epoch=3.5.csv",
        "epoch=3.5_best_clean_iid_corruptions.png",
        "epoch=3.5_last_iid_corruptions.png",
    ]
    assert Results.read(files[0]).tests["last"] == known.tests["last"]
    with files[1].open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 + len(COMMON) + 1 + len(EXTRA)
    fog = next(line for line in lines if line["metric"] == "accuracy/fog/2")
    assert (fog["checkpoint"], fog["test"], fog["split"], fog["n"]) == ("best_clean", "common", "iid", "200")
    assert (float(fog["value"]), float(fog["low"])) == (0.6, pytest.approx(0.55))
    assert (fog["preset"], fog["corruption"], fog["severity"]) == ("cifar", "fog", "2")
    assert lines[0]["preset"] == lines[1]["value"] == ""


def test_the_picture_shows_cells_and_curves_side_by_side(tmp_path):
    *_, file = write_results(results(last=COMMON), tmp_path / "results.json")
    assert file.name == "results_iid_corruptions.png"
    picture = np.asarray(Image.open(file))
    assert picture.shape[1] > 650
    dark = (picture < 128).all(2)
    assert dark[:, :340].any()
    assert dark[:, 370:].any()


def test_no_corruptions_no_picture(tmp_path):
    files = write_results(results(last=[CLEAN_ROW]), tmp_path / "results.json")
    assert [file.suffix for file in files] == [".json", ".csv"]
    assert corruption_tables(results(last=[CLEAN_ROW])) == []
