"""The sentences of a report are made from its numbers, and say what was measured and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from robustlit.evaluation import Row
from robustlit.evaluation.base import PUBLISHED
from robustlit.reports.verdict import verdict
from robustlit.reports.verdict.corruptions import drops
from tests.reports.run_folders import N, answers, attack_rows, make_run, outcome_records, rows_of, sentences, view_of


def test_the_verdict_is_made_from_the_numbers(whole):
    view, right = view_of(whole), answers(0)
    told = sentences(view)
    cells = np.mean([right[f"impulse_noise/{severity}"] for severity in (1, 3, 5)], axis=0)
    lost = right["clean"] - cells
    half = 1.959964 * lost.std(ddof=1) / np.sqrt(N)
    mean, value = lost.mean(), cells.mean()
    assert f"falls from {100 * right['clean'].mean():.1f} % to {100 * value:.1f} %" in told["Impulse noise"]
    assert f"by {100 * mean:.1f} points ({100 * (mean - half):.1f}–{100 * (mean + half):.1f}" in told["Impulse noise"]
    hardest = right["impulse_noise/5"]
    assert (
        f"at severity 5 to {100 * hardest.mean():.1f} %" in told["Impulse noise"] and "n = 200" in told["Impulse noise"]
    )
    kinds = {
        "noise": ("gaussian_noise", "shot_noise", "impulse_noise"),
        "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    }
    for kind, names in kinds.items():
        score = np.mean([right[f"{name}/{severity}"].mean() for name in names for severity in (1, 3, 5)])
        assert f"{100 * score:.1f} % under {kind}" in told["By kind"]
    extra = next(row for row in view.rows if (row.test, row.metric) == ("extra", "accuracy")).value
    common = next(row for row in view.rows if (row.test, row.metric) == ("common", "accuracy")).value
    assert "that chose this checkpoint" in told["Unseen families"]
    assert f"COMMON {100 * common:.1f} % ({100 * (common - extra):+.1f})".replace("-", "−") in told["Unseen families"]
    assert "PGD (Linf, eps 8/255, 50 steps) leaves 5.0 % (2.7–9.0) of 90.0 %, n = 200" in told["Attacks"]
    assert "half of its score is gone at Linf, eps 4/255 (30.0 %)" in told["Attacks"]
    assert "a stronger one may leave less" in told["Upper bound"]
    assert "By site, accuracy is lowest for south, 70.0 % (60.0–79.0), n = 80 and highest for north" in told["Slices"]
    assert "On the split cue_conflict accuracy is 20.0 %" in told["Other splits"]
    assert "Shape or texture" not in told and "Background" not in told  # not measured


def test_only_what_was_measured_is_told(tmp_path):
    clean = Row("clean", "iid", "accuracy", 0.9, 0.85, 0.94, N)
    told = sentences(view_of(make_run(tmp_path / "run", rows=[clean], records=[])))
    assert told.keys() == {"Not tested"} and "evaluation=[corruptions,adversarial]" in told["Not tested"]


def test_a_model_that_holds_is_not_accused(tmp_path):
    right = {name: answers(0)["clean"] for name in answers(0)}
    rows = [row for row in rows_of(right) if row.split == "iid"]
    found = verdict(view_of(make_run(tmp_path / "run", rows=rows, records=outcome_records(right))))
    assert [each.level for each in found if each.level == "bad"] == []
    assert "None of the tests that were run (clean, extra, common) breaks" in found[0].text


@pytest.mark.parametrize(
    ("rows", "topic", "words"),
    [
        (
            [("shape_bias", "shape_bias", 0.21, 0.15, 0.29)],
            "Shape or texture",
            "texture rather than shape: 21.0 % (15.0–29.0)",
        ),
        (
            [("shape_bias", "shape_bias", 0.56, 0.49, 0.63)],
            "Shape or texture",
            "It follows neither shape nor texture clearly: 56.0 % (49.0–63.0)",
        ),
        (
            [("background", "gap/removed", 0.015, -0.02, 0.05)],
            "Background",
            "On no background the same objects cost 1.5 points (−2.0 to 5.0)",
        ),
        (
            [("background", "gap/swapped", 0.3, 0.25, 0.35)],
            "Background",
            "another background the same objects cost 30.0 points",
        ),
        (
            [("shift", "consistency/4", 0.8, 0.75, 0.85)],
            "Small shifts",
            "80.0 % (75.0–85.0) of the answers stay when images move by 4",
        ),
        (
            [
                ("ood", "auroc", 0.7, None, None),
                ("ood", "fpr95", 0.6, None, None),
                ("ood", "auroc/msp/textures", 0.55, 0.5, 0.6),
            ],
            "Foreign images",
            "60.0 % of them pass where 95 % of the familiar ones do; the hardest set is textures (55.0 % by msp)",
        ),
        (
            [
                ("calibration", "calibration_error", 0.03, None, None),
                ("corrupted_calibration", "calibration_error", 0.2, None, None),
            ],
            "Confidence",
            "off by 3.0 % on clean images (ECE, n = 200) and by 20.0 % under corruption",
        ),
    ],
)
def test_every_other_test_has_its_sentence(rows, topic, words, tmp_path):
    found = [Row(test, "iid", metric, value, low, high, N) for test, metric, value, low, high in rows]
    told = sentences(view_of(make_run(tmp_path / "run", rows=found, records=[])))
    assert words in told[topic]


def test_selection_and_training_that_overlap_with_the_test_are_told(tmp_path):
    rows = [Row("clean", "val", "accuracy", 0.9, 0.85, 0.94, N), Row("common", "val", "accuracy", 0.5, None, None, N)]
    folder = make_run(tmp_path / "run", rows=rows, records=[])
    told = sentences(view_of(folder))
    assert "The images of the split val chose this checkpoint" in told["Overlap"]
    folder = make_run(tmp_path / "noisy", augmentation="patch_gaussian")
    nested = "{_target_: albumentations.OneOf, transforms: [{_target_: albumentations.RandomFog}]}"
    augmentation = "augmentation: {a: {_target_: robustlit.augmentations.PatchGaussian}}"
    (folder / "config.yaml").write_text(f"{augmentation}\ndata: {{train_transforms: [{nested}]}}")
    told = sentences(view_of(folder))["Seen in training"]
    assert "gaussian noise (PatchGaussian)" in told
    assert "fog (RandomFog)" in told


def test_a_set_on_disk_has_no_interval_from_images_of_the_split(tmp_path):
    """Though its test has the name of a family, and its cells those of the corruptions."""
    rows = rows_of(answers(0))
    rows += [replace(row, split=PUBLISHED) for row in rows_of(answers(1)) if row.test == "common"]
    view = view_of(make_run(tmp_path / "run", rows=rows))
    paired = {block.split: [drop.paired is not None for drop in drops(view, block)] for block in view.blocks}
    assert all(paired["iid"]) and not any(paired[PUBLISHED])


def test_of_equal_attacks_the_larger_eps_counts(tmp_path):
    rows = [replace(row, value=0.9, low=0.85, high=0.94) for row in attack_rows()]
    told = sentences(view_of(make_run(tmp_path / "run", rows=rows, records=[])))
    assert "PGD (Linf, eps 8/255, 50 steps) leaves 90.0 %" in told["Attacks"]
