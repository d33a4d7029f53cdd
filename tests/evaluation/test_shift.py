"""ShiftTest: shifts by hand, models that see shifts and models that do not, masks shifted back."""

import numpy as np
import pytest
import torch
from torch import nn

from robustlit.data import MaskFolder, Npz
from robustlit.evaluation import ShiftTest
from robustlit.evaluation.behaviour.shifted import BORDERS, DIRECTIONS, shift_back, shifted
from robustlit.metrics import wilson
from robustlit.modules import ClassificationModule, SegmentationModule
from tests.evaluation.other_sets import opened, values
from tests.tiny import trainer


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("down", "right"), [(0, 0), *((2 * down, 2 * right) for down, right in DIRECTIONS), (1, -2)])
def test_a_shift_is_numpys_roll_where_nothing_is_laid_open(border, down, right):
    images = torch.rand(2, 3, 9, 11)
    found = shifted(images, down, right, border, 2).numpy()
    rolled = np.roll(images.numpy(), (down, right), (2, 3))
    inner = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    assert np.array_equal(found if border == "crop" else found[inner], rolled[inner])
    assert found.shape == ((2, 3, 5, 7) if border == "crop" else (2, 3, 9, 11))


def test_the_rim_is_what_the_border_says():
    row = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
    assert shifted(row, 0, 2, "reflect", 2).tolist() == [[[[3.0, 2.0, 1.0, 2.0]]]]
    assert shifted(row, 0, -2, "replicate", 2).tolist() == [[[[3.0, 4.0, 4.0, 4.0]]]]
    assert shifted(row, 0, 1, "zero", 2).tolist() == [[[[0.0, 1.0, 2.0, 3.0]]]]


def test_shifting_back_undoes_a_shift():
    maps = torch.randint(5, (2, 6, 7))
    for down, right in ((0, 0), (2, 0), (-2, 0), (0, 3), (0, -3), (1, -2)):
        there = shifted(maps[:, None].float(), down, right, "zero", 3)[:, 0].long()
        back = shift_back(there, down, right)
        seen = back >= 0
        assert torch.equal(back[seen], maps[seen])
        assert int(seen[0].sum()) == (6 - abs(down)) * (7 - abs(right))


class AtTheCorner(nn.Module):
    """Says 1 where the first pixel is bright: it sees every shift."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        bright = images[:, 0, 0, 0] + 0 * self.unused
        return torch.stack((0.5 - bright, bright - 0.5), 1)


class Anywhere(AtTheCorner):
    """Says 1 where any pixel is bright."""

    def forward(self, images):
        bright = images.amax((1, 2, 3)) + 0 * self.unused
        return torch.stack((0.5 - bright, bright - 0.5), 1)


@pytest.fixture
def points(tmp_path):
    """Four pictures: dark, and one bright pixel at the corner, right of it, in the middle."""
    images = np.zeros((4, 8, 8, 3), np.uint8)
    images[1, 0, 0], images[2, 0, 1], images[3, 4, 4] = 255, 255, 255
    labels = np.array([0, 1, 1, 1])
    np.savez(tmp_path / "set.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    return opened(Npz(tmp_path / "set.npz", batch_size=3, num_workers=0))


def classifier(network):
    return ClassificationModule(network, num_classes=2, mean=[0.0] * 3, std=[1.0] * 3)


def test_a_model_that_looks_at_one_pixel_is_not_consistent(points):
    test = ShiftTest([1], border="zero")
    rows = test.run(classifier(AtTheCorner()), points, trainer([]))
    found = values(rows)
    # bright at the corner: any shift takes it away; right of it: only a shift to the left brings it there
    assert found["accuracy"] == 0.5
    assert found["consistency"] == 0.5
    assert found["consistency/1"] == pytest.approx((4 + 0 + 3 + 4) / 16)
    assert found["accuracy/1"] == pytest.approx((4 + 0 + 1 + 0) / 16)
    assert found["gap/1"] == pytest.approx(0.5 - 5 / 16)
    whole = next(row for row in rows if row.metric == "consistency")
    assert (whole.low, whole.high, whole.n) == (*wilson(2, 4), 4)
    assert whole.conditions["border"] == "zero"
    assert {f"{row.test}/{row.metric}" for row in rows} == set(test.expects(points))
    (curve,) = test.records
    assert (curve.kind, curve.data["x"], curve.data["y"]) == ("curve", [1], [found["consistency/1"]])


def test_a_model_that_looks_everywhere_is(points):
    rows = ShiftTest([1, 2], border="replicate").run(classifier(Anywhere()), points, trainer([]))
    found = values(rows)
    assert found["accuracy"] == 1.0
    assert found["consistency/2"] < 1  # what leaves the picture is gone
    cropped = values(ShiftTest([1], border="crop").run(classifier(Anywhere()), points, trainer([])))
    assert cropped["accuracy"] == 0.5  # the rim is cut off the unshifted version too
    assert cropped["gap/1"] <= 0


class Threshold(AtTheCorner):
    """A segmentation that is as good anywhere."""

    def forward(self, images):
        bright = images[:, :1] + 0 * self.unused
        return torch.cat((0.5 - bright, bright - 0.5), 1)


class Column(AtTheCorner):
    """Says that the first column is object, whatever is there."""

    def forward(self, images):
        object_ = torch.zeros_like(images[:, :1]) - 1 + 0 * self.unused
        object_[..., 0] = 1
        return torch.cat((-object_, object_), 1)


@pytest.mark.parametrize(("network", "same"), [(Threshold, 1.0), (Column, None)])
def test_masks_are_shifted_back(network, same, tmp_path):
    from PIL import Image

    noise = np.random.default_rng(0)
    for number in range(4):
        mask = (noise.random((8, 8)) > 0.5).astype(np.uint8)
        for name, pixels in (("images", np.repeat(mask[..., None] * 255, 3, 2)), ("masks", mask)):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    data = opened(MaskFolder(tmp_path, num_classes=2, num_workers=0, val_fraction=0.0))
    module = SegmentationModule(network(), num_classes=2, mean=[0.0] * 3, std=[1.0] * 3)
    test = ShiftTest([1, 2])
    rows = test.run(module, data, trainer([]))
    found = values(rows)
    assert {f"{row.test}/{row.metric}" for row in rows} == set(test.expects(data))
    if same:
        assert {found[name] for name in ("iou", "iou/1", "iou/2", "consistency/1", "consistency/2")} == {same}
        assert found["gap/2"] == 0
    else:
        # the prediction never moves, so shifted back it is what lies one pixel away: counted pixel by pixel
        confusion = np.zeros((2, 2))
        before = np.zeros((8, 8), int)
        before[:, 0] = 1
        for down, right in DIRECTIONS:
            for row in range(8):
                for column in range(8):
                    if 0 <= row + down < 8 and 0 <= column + right < 8:
                        confusion[before[row, column], before[row + down, column + right]] += 1
        both = np.diag(confusion)
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        assert found["consistency/1"] == pytest.approx(iou.mean())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pixels": []}, r"expected shifts of whole pixels from 1, each once, got \[\]"),
        ({"pixels": [0]}, r"got \[0\]"),
        ({"pixels": [1, 1]}, r"got \[1, 1\]"),
        ({"border": "reflct"}, "try 'reflect'"),
        ({"images": 0}, "expected at least one image"),
    ],
)
def test_wrong_settings_are_one_line(settings, message):
    with pytest.raises(ValueError, match=message):
        ShiftTest(**settings)


def test_images_that_are_too_small_are_one_line(points):
    with pytest.raises(ValueError, match="expected images of more than 8 pixels, got 8×8; try fewer pixels"):
        ShiftTest([4], border="crop").run(classifier(Anywhere()), points, trainer([]))
