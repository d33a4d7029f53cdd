"""BackgroundTest: objects on other backgrounds, by models that look at the object, or at the background."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from robustlit.data import ImageFolder, MaskFolder
from robustlit.data.shapes import ShapesDataModule
from robustlit.evaluation import BackgroundTest
from robustlit.evaluation.behaviour.cut_out import CutOut, without_object
from robustlit.modules import ClassificationModule, SegmentationModule
from tests.evaluation.other_sets import folder, opened, values
from tests.tiny import trainer

GROUND = {"dark": 40, "pale": 200}  # each class has a ground of its own, and an object of its own
OBJECT = {"dark": 0, "pale": 255}


@pytest.fixture
def photos(tmp_path):
    """Eight pictures of squares on grounds, and masks of the squares."""
    for number in range(8):
        name = ("dark", "pale")[number % 2]
        pixels = np.full((8, 8, 3), GROUND[name], np.uint8)
        mask = np.zeros((8, 8), np.uint8)
        mask[2:5, 3:6] = 255
        pixels[mask > 0] = OBJECT[name]
        for root, array in (("photos", pixels), ("masks", mask)):
            (tmp_path / root / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(tmp_path / root / name / f"{number}.png")
    return opened(ImageFolder(tmp_path / "photos", batch_size=3, num_workers=0, val_fraction=0.0))


class Looks(nn.Module):
    """Says "pale" where a pixel is bright: one inside of the object, or one at the corner."""

    def __init__(self, row, column):
        super().__init__()
        self.place = row, column
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        bright = images[:, 0, self.place[0], self.place[1]] + 0 * self.unused
        return torch.stack((0.5 - bright, bright - 0.49), 1)


def classifier(row, column):
    return ClassificationModule(Looks(row, column), num_classes=2, mean=[0.0] * 3, std=[1.0] * 3)


def test_a_model_that_looks_at_the_object_loses_nothing(photos, tmp_path):
    test = BackgroundTest(tmp_path / "masks")
    rows = test.run(classifier(3, 4), photos, trainer([]))
    found = values(rows)
    assert {name: found[name] for name in ("accuracy", "swapped", "removed")} == {
        "accuracy": 1.0,
        "swapped": 1.0,
        "removed": 1.0,
    }
    assert found["gap/swapped"] == 0
    assert found["changed/swapped"] == 0
    assert {f"{row.test}/{row.metric}" for row in rows} == set(test.expects(photos))
    gap = next(row for row in rows if row.metric == "gap/swapped")
    assert gap.low < 0 < gap.high
    assert gap.n == 8


def test_a_model_that_looks_at_the_background_is_found_out(photos, tmp_path):
    test = BackgroundTest(tmp_path / "masks")
    found = values(test.run(classifier(0, 0), photos, trainer([])))
    assert found["accuracy"] == 1.0
    assert found["swapped"] == 0.0  # the other background is always of the other class
    assert found["removed"] == 0.5  # grey is one class's
    assert found["alone"] == 1.0
    assert (found["gap/swapped"], found["changed/swapped"]) == (1.0, 1.0)
    pictures = [record for record in test.records if record.kind == "picture"]
    assert len(pictures) == 4
    assert pictures[0].data["image"].shape == (8, 16, 3)


def test_backgrounds_depend_on_the_sample_alone(photos, tmp_path):
    test, module = BackgroundTest(tmp_path / "masks"), classifier(0, 0)
    rows = test.run(module, photos, trainer([]))
    photos.eval_batch_size = 8
    assert test.run(module, photos, trainer([])) == rows


def test_what_an_object_hid_is_filled_from_around_it():
    image = np.full((9, 9, 3), 120, np.uint8)
    mask = np.zeros((9, 9), np.uint8)
    mask[3:6, 3:6] = 1
    image[mask > 0] = 0
    for pixels, grey in ((image, 120), (image[..., :1], 120), (image.astype(np.uint16) * 257, 120 * 257)):
        filled = without_object(pixels, mask)
        assert (filled.shape, filled.dtype) == (pixels.shape, pixels.dtype)
        assert np.abs(filled.astype(int) - grey).max() <= 2  # the filling rounds


def test_shapes_carry_their_masks(tmp_path):
    data = opened(ShapesDataModule(train_size=10, val_size=10, test_size=20, image_size=16, cache_dir=tmp_path))
    cut = CutOut(data.test_sets["iid"])
    item = cut[3]
    assert np.array_equal(item["object"], item["mask"])
    assert item["elsewhere"].shape == (3, 16, 16)
    others = {tuple(cut[place]["elsewhere"].flatten()[:30]) for place in range(10)}
    assert len(others) > 5
    module = ClassificationModule(nn.Sequential(nn.Flatten(), nn.Linear(768, 10)), num_classes=10)
    rows = BackgroundTest(images=12).run(module, data, trainer([]))
    assert {row.split for row in rows} == {"iid", "uncorrelated", "cue_conflict"}
    assert {row.n for row in rows} == {12}


class Bright(nn.Module):
    """A segmentation by brightness."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        bright = images[:, :1] + 0 * self.unused
        return torch.cat((0.75 - bright, bright - 0.75), 1)


def test_masks_of_a_segmentation_are_its_targets(photos, tmp_path):
    """Bright squares on dark and on pale ground: the pale one is taken for the object where it is swapped in."""
    for number in range(4):
        ground = (40, 200)[number % 2]
        pixels = np.full((8, 8, 3), ground, np.uint8)
        mask = np.zeros((8, 8), np.uint8)
        mask[2:5, 3:6] = 1
        pixels[mask > 0] = 255
        for root, array in (("images", pixels), ("masks", mask)):
            (tmp_path / "set" / root).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(tmp_path / "set" / root / f"{number}.png")
    data = opened(MaskFolder(tmp_path / "set", num_classes=2, num_workers=0, val_fraction=0.0))
    module = SegmentationModule(Bright(), num_classes=2, mean=[0.0] * 3, std=[1.0] * 3)
    test = BackgroundTest()
    rows = test.run(module, data, trainer([]))
    found = values(rows)
    assert {f"{row.test}/{row.metric}" for row in rows} == set(test.expects(data))
    assert found["removed"] == 1.0  # grey is no object
    assert 0 < found["iou"] < 1
    assert found["gap/removed"] == pytest.approx(found["iou"] - 1)


class Three(nn.Module):
    """A segmentation into dark, pale and bright."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        bright = images[:, :1] + 0 * self.unused
        return torch.cat([-(bright - level).abs() for level in (0.15, 0.47, 1.0)], 1)


def test_several_backgrounds_count_as_one(tmp_path):
    """Dark and pale ground are classes of their own: swapped, they lie where the targets have the other one."""
    for number in range(4):
        pixels = np.full((8, 8, 3), (40, 120)[number % 2], np.uint8)
        mask = np.full((8, 8), number % 2, np.uint8)
        pixels[2:5, 3:6], mask[2:5, 3:6] = 255, 2
        for root, array in (("images", pixels), ("masks", mask)):
            (tmp_path / "set" / root).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(tmp_path / "set" / root / f"{number}.png")
    data = opened(MaskFolder(tmp_path / "set", num_classes=3, num_workers=0, val_fraction=0.0))
    module = SegmentationModule(Three(), num_classes=3, mean=[0.0] * 3, std=[1.0] * 3)
    rows = BackgroundTest(background=[0, 1]).run(module, data, trainer([]))
    found = values(rows)
    assert {found[metric] for metric in ("iou", "swapped", "removed")} == {1.0}
    assert rows[0].conditions["background"] == "classes 0, 1 as one"


def test_data_without_masks_are_one_line(tmp_path):
    own = folder(tmp_path / "own", {"a": [0], "b": [1]})
    with pytest.raises(ValueError, match="expected samples with the mask of their object, got none; try data=shapes"):
        BackgroundTest().expects(own)
    with pytest.raises(ValueError, match="expected a folder at"):
        BackgroundTest(tmp_path / "lost").expects(own)
