"""SlicesTest on hand-made cases: who is right where is known, so every figure is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from robustlit.data import ImageFolder, Npz
from robustlit.evaluation import SlicesTest
from robustlit.evaluation.behaviour.slice_table import read_slices, values_of
from robustlit.metrics.difference import rate_difference
from robustlit.metrics.interval import wilson
from robustlit.modules import ClassificationModule
from tests.evaluation.answer_sets import labels, masks, ready, segmenter, test_images
from tests.tiny import trainer

TRUE = [0, 1] * 8
SAID = [0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0]  # right: 7 of the first 8, 2 of the others
CAMERA = ["a"] * 8 + ["b"] * 8


class Reader(nn.Module):
    """Says what the first pixel says: dark is class 0, bright class 1."""

    def forward(self, images):
        bright = images[:, 0, 0, 0]
        return torch.stack((0.5 - bright, bright - 0.5), 1)


def module() -> ClassificationModule:
    return ClassificationModule(Reader(), num_classes=2).eval()


@pytest.fixture
def data(tmp_path) -> Npz:
    images = np.zeros((16, 4, 4, 3), np.uint8)
    images[:, 0, 0] = np.array(SAID)[:, None] * 255
    np.savez(tmp_path / "set.npz", x_train=images, y_train=TRUE, x_test=images, y_test=TRUE)
    return ready(Npz(tmp_path / "set.npz", num_classes=2, batch_size=5, num_workers=0))


def table(path: Path, header: str, rows) -> Path:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


def keyed(rows):
    return {row.metric: row for row in rows}


def test_every_figure_of_a_hand_made_case(data, tmp_path):
    ages = [20, 30, 50, 70] * 4
    path = table(tmp_path / "meta.csv", "index,camera,age", zip(range(16), CAMERA, ages, strict=True))
    test = SlicesTest(path, bins={"age": [40, 60]}, min_n=8)
    rows = keyed(test.run(module(), data, trainer([])))
    assert {f"slices/{metric}" for metric in rows} <= set(test.expects(data))
    assert rows["accuracy"].value == 9 / 16
    one, other = rows["accuracy/camera/a"], rows["accuracy/camera/b"]
    assert (one.value, one.n, one.low, one.high) == (7 / 8, 8, *wilson(7, 8))
    assert (other.value, other.n) == (2 / 8, 8)
    gap = rows["gap/camera"]
    assert (gap.value, gap.low, gap.high) == (5 / 8, *rate_difference(7, 8, 2, 8))
    assert (gap.conditions["best_slice"], gap.conditions["worst_slice"], gap.n) == ("a", "b", 16)
    assert (rows["worst/camera"].value, rows["gap"].value, rows["worst"].value) == (2 / 8, 5 / 8, 2 / 8)
    assert {row.metric: row.n for row in rows.values() if "/age/" in row.metric} == {
        "accuracy/age/below 40": 8,
        "accuracy/age/40 to 60": 4,
        "accuracy/age/from 60": 4,
    }
    assert "gap/age" not in rows  # only one slice has eight images
    assert rows["accuracy/age/from 60"].conditions["in_gap"] is False
    (record, _) = test.records
    assert record.data["name"] == ["a", "b"]
    assert record.data["value"] == [7 / 8, 2 / 8]


def test_fields_may_be_empty(data, tmp_path):
    site = ["x"] * 6 + [""] * 4 + ["y/z"] * 6
    path = table(tmp_path / "meta.csv", "index,site", zip(range(16), site, strict=True))
    rows = keyed(SlicesTest(path, min_n=2).run(module(), data, trainer([])))
    assert rows["accuracy/site/(none)"].n == 4
    assert rows["accuracy/site/(none)"].conditions["in_gap"] is False
    assert {rows["gap/site"].conditions[key] for key in ("best_slice", "worst_slice")} == {"x", "y/z"}
    assert rows["accuracy/site/y_z"].conditions["slice"] == "y/z"


@pytest.mark.parametrize("write", ["name", "path", "stem", "whole"])
def test_files_are_found_by_the_end_of_their_path(write, tmp_path):
    root = tmp_path / "photos"
    rows = []
    for split in ("train", "test"):
        for place, (said, true) in enumerate(zip(SAID, TRUE, strict=True)):
            folder = root / split / "ab"[true]
            folder.mkdir(parents=True, exist_ok=True)
            pixels = np.zeros((4, 4, 3), np.uint8)
            pixels[0, 0] = 255 * said
            file = folder / f"{split}{place}.png"
            Image.fromarray(pixels).save(file)
            short = {"name": file.name, "path": f"ab/{file.name}", "stem": file.stem, "whole": str(file)}[write]
            short = f"{'ab'[true]}/{file.name}" if write == "path" else short
            rows.append((short, CAMERA[place]))
    data = ready(ImageFolder(root, batch_size=6, num_workers=0))
    path = table(tmp_path / "meta.csv", "file,camera", rows)
    found = keyed(SlicesTest(path, min_n=1).run(module(), data, trainer([])))
    assert (found["accuracy/camera/a"].value, found["accuracy/camera/b"].value) == (7 / 8, 2 / 8)


def test_two_files_of_one_name_need_more_of_their_paths(tmp_path):
    for name in "ab":
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "photos" / name / "1.png")
    data = ready(ImageFolder(tmp_path / "photos", val_fraction=0.0, num_workers=0))
    path = table(tmp_path / "meta.csv", "file,camera", [("1.png", "x")])
    with pytest.raises(ValueError, match=r"expected one image for '1.png'.*try more of their paths"):
        values_of(read_slices(path), "train", data.train_set)


@pytest.mark.parametrize(
    ("header", "rows", "settings", "message"),
    [
        ("index,camera", [(0, "a")], {}, r"got none for 15 of 16, the first being .*\[1\]"),
        ("id,camera", [(0, "a")], {}, "got id, camera; try key=COLUMN"),
        ("index,camera", [(0, "a")], {"columns": ["camra"]}, "try 'camera'"),
        ("index", [(0,)], {}, "expected a column to slice by"),
        ("index,camera", [(0, "a"), (0, "b")], {}, "every image once"),
        ("index,age", [(place, "old") for place in range(16)], {"bins": {"age": [3]}}, "expected numbers in age"),
        ("index,age", [(0, 1)], {"bins": {"age": [3, 1]}}, "expected rising edges for age"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line_before_the_work(header, rows, settings, message, data, tmp_path):
    with pytest.raises(ValueError, match=message) as error:
        SlicesTest(table(tmp_path / "meta.csv", header, rows), **settings).expects(data)
    assert "\n" not in str(error.value)


def test_no_table_and_no_minimum(data, tmp_path):
    with pytest.raises(ValueError, match="expected a CSV file at"):
        SlicesTest(tmp_path / "lost.csv").expects(data)
    with pytest.raises(ValueError, match="min_n of at least 1"):
        SlicesTest("any.csv", min_n=0)


def test_a_column_of_numbers_asks_for_edges(tmp_path):
    images = np.zeros((120, 4, 4, 3), np.uint8)
    np.savez(tmp_path / "set.npz", x_train=images, y_train=np.arange(120) % 2)
    data = ready(Npz(tmp_path / "set.npz", num_classes=2, val_fraction=0.0, num_workers=0))
    path = table(tmp_path / "meta.csv", "index,age", [(place, place) for place in range(120)])
    with pytest.raises(ValueError, match=r"at most 100 values of age .*try bins=\{age"):
        values_of(read_slices(path), "train", data.train_set)


def test_masks_have_the_iou_of_their_slice(tmp_path):
    data = masks(tmp_path)
    module = segmenter(data)
    path = table(tmp_path / "meta.csv", "index,site", [(place, "xy"[place % 2]) for place in range(9)])
    rows = keyed(SlicesTest(path, min_n=2).run(module, data, trainer([])))
    from robustlit.metrics.confusion import confusion_matrices, mean_iou

    images, targets, ids = test_images(data, "iid")
    with torch.no_grad():
        each = confusion_matrices(module(images).argmax(1), targets.long(), data.num_classes)
    for site, rest in (("x", 0), ("y", 1)):
        expected = float(mean_iou(each[ids % 2 == rest].sum(0)))
        assert rows[f"iou/site/{site}"].value == pytest.approx(expected, abs=1e-6)
    assert rows["gap/site"].low <= rows["gap/site"].value <= rows["gap/site"].high


def test_labels_have_the_auroc_of_their_slice(tmp_path):
    from tests.evaluation.answer_sets import classifier

    data = labels(tmp_path / "set.npz")
    path = table(tmp_path / "meta.csv", "index,site", [(place, "xy"[place // 20]) for place in range(40)])
    test = SlicesTest(path)
    rows = keyed(test.run(classifier(3, multilabel=True), data, trainer([])))
    assert {f"slices/{metric}" for metric in rows} <= set(test.expects(data))
    assert rows["auroc/site/x"].n == 20
    assert rows["auroc/site/x"].conditions["in_gap"] is False
