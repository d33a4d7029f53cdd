"""Several runs: means over seeds, paired intervals, what was not measured alike, failed jobs, the front."""

import json
import statistics
from dataclasses import replace

import numpy as np
import pytest

from robustlit.evaluation import Row
from robustlit.reports.columns import column_keys, robust_key
from robustlit.reports.comparison import comparison_report
from robustlit.reports.document import Table
from robustlit.reports.groups import agree, group_runs
from robustlit.reports.html import html
from robustlit.reports.loading import find_runs
from robustlit.reports.markdown import markdown
from robustlit.reports.report import write_report
from robustlit.reports.results import Chosen
from robustlit.reports.sections.differences import paired
from robustlit.reports.view import View
from tests.reports.run_folders import EPS, N, answers, attack_rows, make_run, rows_of

STRENGTH = {"none": 0.0, "patch_gaussian": 0.5}
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "sweep"
    for name, strength in STRENGTH.items():
        for seed in SEEDS:
            make_run(folder / f"{name}-{seed}", seed=seed, augmentation=name, strength=strength)
    failed = folder / "failed"
    failed.mkdir()
    (failed / "failure.json").write_text(json.dumps({"error": "expected <script>alert(1)</script>, got none"}))
    (failed / "job.json").write_text(json.dumps({"overrides": ["augmentation=augmix", "seed=1"]}))
    return folder


def views_of(*folders):
    runs, failures = find_runs(folders)
    return [View.of(run) for run in runs], failures


def report(*folders):
    views, failures = views_of(*folders)
    return comparison_report(views, failures)


def line_of(text, *words):
    return next(line for line in text.splitlines() if all(word in line for word in words))


def common(strength, seed):
    """The mean over corruptions of the scores of COMMON, and the images' own."""
    right = answers(seed, strength=strength)
    extra = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
    cells = [flags for name, flags in right.items() if name != "clean" and name.split("/")[0] not in extra]
    return np.mean(cells, axis=0)


def test_runs_that_differ_in_the_seed_only_are_one_configuration(sweep):
    views, failures = views_of(sweep)
    groups = group_runs(views)
    assert {group.label: group.seeds for group in groups} == dict.fromkeys(STRENGTH, "0, 1, 2")
    assert groups[0].label == "none"  # what nothing was done to is what others are set beside
    assert [one.overrides for one in failures] == [{"augmentation": "augmix", "seed": "1"}]


def test_means_and_deviations_over_seeds_are_those_of_the_figures(sweep):
    text = markdown(report(sweep)[0])
    for name, strength in STRENGTH.items():
        values = [float(common(strength, seed).mean()) for seed in SEEDS]
        told = f"{100 * statistics.mean(values):.1f} ± {100 * statistics.stdev(values):.1f}"
        assert told in line_of(text, name.replace("_", "\\_"), "0, 1, 2")


def test_differences_are_paired_over_equal_images(sweep):
    text = markdown(report(sweep)[0])
    mean = {name: np.mean([common(strength, seed) for seed in SEEDS], axis=0) for name, strength in STRENGTH.items()}
    change = mean["patch_gaussian"] - mean["none"]
    half = 1.959964 * change.std(ddof=1) / np.sqrt(N)
    found = line_of(text, "patch\\_gaussian", "COMMON", f"{100 * change.mean():+.1f}")
    assert f"{100 * (change.mean() - half):+.1f} to {100 * (change.mean() + half):+.1f}" in found and "yes" in found
    per_corruption = line_of(text, "impulse noise", "noise")
    flags = [
        np.mean([answers(seed, strength=strength)[f"impulse_noise/{s}"].mean() for seed in SEEDS for s in (1, 3, 5)])
        for strength in STRENGTH.values()
    ]
    assert f"{100 * (flags[1] - flags[0]):+.1f}" in per_corruption


def test_the_best_configuration_is_chosen_on_validation_and_printed(sweep):
    document, lines = report(sweep)
    mean = statistics.mean(0.7 + 0.5 / 10 + seed / 100 for seed in SEEDS)
    assert lines[0].startswith(
        f"Best: patch_gaussian (robust/corruption/extra_mean {100 * mean:.1f} % ± 1.0 on validation"
    )
    assert "COMMON" in lines[0]
    assert "| **" not in markdown(document)


def test_failed_jobs_are_in_the_table_and_escaped(sweep):
    document, lines = report(sweep)
    assert any(line.startswith("Failed: One job has no result: expected <script>") for line in lines)
    assert "augmentation=augmix seed=1" in line_of(markdown(document).replace("\\", ""), "failed", "expected")
    assert "<script" not in html(document)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"preset": "imagenet"}, "preset imagenet and not cifar"),
        ({"evaluation_seed": 1}, "evaluation seed 1 and not 0"),
        ({"storage": "jpeg85"}, "storage jpeg85 and not none"),
        ({"frost": "imagecorruptions"}, "frost imagecorruptions and not procedural"),
        ({"precision": "bf16"}, "precision bf16 and not 32-true"),
        ({"version": "0.2.0"}, "version 0.2.0 and not 0.1.0"),
        ({"lighting": "night"}, "lighting night and not none"),  # of a test that is not known here
    ],
)
def test_what_was_measured_otherwise_is_in_no_mean_and_is_told(change, why, tmp_path):
    for seed in (0, 1):
        make_run(tmp_path / f"run{seed}", seed=seed)
    other = rows_of(answers(2), **change)
    make_run(tmp_path / "run2", seed=2, rows=other)
    views, _ = views_of(tmp_path)
    (agreed,) = agree(views, [("common", "iid", "accuracy")])
    assert agreed.rows.keys() == {0, 1} and agreed.left_out == {2: why}
    text = markdown(report(tmp_path)[0])
    assert why in line_of(text, "run2", "COMMON", "not")
    values = [float(common(0.0, seed).mean()) for seed in (0, 1)]
    assert f"{100 * statistics.mean(values):.1f} ± {100 * statistics.stdev(values):.1f}" in line_of(text, "0, 1, 2")


def test_what_a_test_found_may_differ(tmp_path):
    for seed, temperature in enumerate((1.2, 2.1)):
        facts = {"temperature": temperature, "noise_floor": temperature / 100, "bins": 15}
        row = Row("calibration", "iid", "calibration_error", 0.1, None, None, N, facts)
        make_run(tmp_path / f"run{seed}", seed=seed, rows=[row], records=[])
    views, _ = views_of(tmp_path)
    (agreed,) = agree(views, [("calibration", "iid", "calibration_error")])
    assert agreed.rows.keys() == {0, 1} and not agreed.left_out


def test_attacks_are_compared_at_equal_eps_and_steps_and_on_as_many_images(tmp_path):
    one, other = attack_rows(steps=50), attack_rows(steps=10)
    fewer = [replace(row, n=100) for row in one]
    for seed, rows in enumerate((one, one, other, fewer)):
        make_run(tmp_path / f"run{seed}", seed=seed, rows=rows, records=[])
    views, _ = views_of(tmp_path)
    (agreed,) = agree(views, [("adversarial", "iid", "pgd_linf_8of255")])
    assert agreed.left_out == {2: "steps 10 and not 50", 3: "n 100 and not 200"}
    assert EPS[2] == agreed.rows[0].conditions["eps"]


def test_figures_on_images_that_chose_the_weights_are_in_no_mean(tmp_path):
    rows = [Row("clean", "val", "accuracy", 0.9, 0.85, 0.94, N)]
    make_run(tmp_path / "chosen", rows=rows, records=[])
    make_run(tmp_path / "last", rows=rows, records=[], checkpoint="last", selected_on={}, seed=1)
    views, _ = views_of(tmp_path)
    (agreed,) = agree(views, [("clean", "val", "accuracy")])
    assert list(agreed.left_out.values()) == ["its split val chose its weights"] and len(agreed.rows) == 1


def test_other_data_are_not_compared(tmp_path):
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", seed=1)
    make_run(tmp_path / "c", names={"data": "cifar10", "model": "small_cnn", "augmentation": "none"})
    views, _ = views_of(tmp_path)
    (agreed,) = agree(views, [("clean", "iid", "accuracy")])
    assert agreed.left_out == {2: "data cifar10 and not shapes"}


def test_the_robust_score_is_common_else_an_attack():
    keys = [("clean", "iid", "accuracy"), ("extra", "iid", "accuracy"), ("common", "iid", "accuracy")]
    assert robust_key(keys) == keys[2]
    attack = ("adversarial", "iid", "pgd_linf_8of255")
    assert robust_key([*keys[:2], attack]) == attack
    assert robust_key(keys[:1]) is None


def test_a_search_with_one_seed_each_says_what_that_means(tmp_path):
    for place, name in enumerate(STRENGTH):
        make_run(tmp_path / name, augmentation=name, selected_on={"best_robust": Chosen("val/accuracy", 0.9, place)})
    document, lines = report(tmp_path)
    assert any("how much chance there is" in line for line in lines)
    assert "±" not in line_of(markdown(document), "patch\\_gaussian", "| 0 |")


def test_columns_are_the_figures_that_stand_for_a_run(sweep):
    views, _ = views_of(sweep)
    assert [key[:2] for key in column_keys(views)] == [("clean", "iid"), ("extra", "iid"), ("common", "iid")]


def test_csv_of_several_runs_names_them(sweep, tmp_path):
    (path,) = write_report([sweep], tmp_path, ["csv"]).files
    text = path.read_text()
    assert "none-2/best_robust" in text and text.splitlines()[0].startswith("checkpoint,test,split,metric,value")


def test_folders_of_one_name_are_told_apart(tmp_path):
    """Every row of both is in the CSV, and every table names them by as much of their paths as it takes."""
    for name, strength in STRENGTH.items():
        make_run(tmp_path / name / "12-00", augmentation=name, strength=strength)
    folders = [tmp_path / name / "12-00" for name in STRENGTH]
    assert [view.run.name for view in views_of(*folders)[0]] == ["none/12-00", "patch_gaussian/12-00"]
    write_report(folders, tmp_path / "out", formats=["csv"])
    lines = (tmp_path / "out" / "report.csv").read_text().splitlines()
    assert len(lines) == 1 + sum(len(rows_of(answers(0))) for _ in folders)
    assert {line.partition(",")[0] for line in lines[1:]} == {f"{name}/12-00/best_robust" for name in STRENGTH}


def test_what_is_no_run_is_refused_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.yaml").write_text("seed: 0")
    for name, message in {
        "missing": "which does not exist",
        "empty": "expected a run or a sweep with finished jobs",
        "begun": "got no results.json; try robustlit train resume=",
    }.items():
        with pytest.raises(ValueError, match=message):
            write_report([tmp_path / name])
    failed = tmp_path / "failed" / "job"
    failed.mkdir(parents=True)
    (failed / "failure.json").write_text('{"error": "no disk"}')
    with pytest.raises(ValueError, match=r"expected a finished run, got 1 that failed \(no disk\)"):
        write_report([tmp_path / "failed"])
    with pytest.raises(ValueError, match="try 'html'"):
        write_report([tmp_path], formats=["htm"])


def test_only_accuracy_is_split_among_images(tmp_path):
    for name, strength in STRENGTH.items():
        rows = [
            *rows_of(answers(0, strength=strength)),
            Row("clean", "iid", "auroc", 0.9 + strength / 10, None, None, N),
        ]
        make_run(tmp_path / name, augmentation=name, strength=strength, rows=rows)
    views, _ = views_of(tmp_path)
    assert ("clean", "iid", "auroc") not in column_keys(views)
    groups = group_runs(views)
    agreed = agree(
        views, [("clean", "iid", "auroc"), ("common", "iid", "calibration_error"), ("clean", "iid", "accuracy")]
    )
    (section,) = paired(groups, [view for group in groups for view in group.views], agreed, None)
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert [row[1] for row in table.rows] == ["clean accuracy"]
