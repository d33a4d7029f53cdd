import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from robustlit.panels import classification_panel, legend, multilabel_panel, overlay, palette, segmentation_panel
from robustlit.panels.overlay import mark
from robustlit.panels.text import GREEN, RED

WRONG = (214, 39, 40)


def count(picture, color):
    return int((picture == np.array(color)).all(-1).sum())


def frames(picture):
    """Corners of the frames of the first row of four 32-pixel images: 136 pixels wide, 6 apart, under two lines."""
    return [tuple(picture[2 * 24 + 6 + 1, 6 + 142 * column + 1]) for column in range(4)]


def test_frames_are_green_where_the_class_is_right():
    targets = torch.tensor([0, 1, 2, 1])
    logits = one_hot(torch.tensor([0, 2, 2, 0]), 3).float()
    assert frames(classification_panel(torch.rand(4, 3, 32, 32), targets, logits)) == [GREEN, RED, GREEN, RED]


def test_soft_targets_count_by_their_largest_class():
    targets = torch.tensor([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1], [0.2, 0.8]])
    logits = torch.tensor([[1.0, 0.0]]).expand(4, 2)
    assert frames(classification_panel(torch.rand(4, 3, 32, 32), targets, logits)) == [GREEN, RED, GREEN, RED]


def test_multilabel_is_right_only_if_all_labels_are():
    targets = torch.tensor([[1.0, 0], [1, 1], [0, 0], [0, 1]])
    logits = torch.tensor([[2.0, -2], [2, -2], [-2, -2], [2, 2]])
    assert frames(multilabel_panel(torch.rand(4, 3, 32, 32), targets, logits)) == [GREEN, RED, GREEN, RED]


def test_names_and_probability_are_in_the_picture():
    images, targets, logits = torch.zeros(1, 3, 32, 32), torch.tensor([1]), torch.tensor([[0.0, 3.0]])
    by_number = classification_panel(images, targets, logits)
    named = classification_panel(images, targets, logits, ("cat", "dog"))
    sure = classification_panel(images, targets, 3 * logits, ("cat", "dog"))
    end = 2 * 18 + 6 + 136
    assert not np.array_equal(by_number[end:], named[end:])
    assert not np.array_equal(named[end:], sure[end:])
    assert np.array_equal(by_number[:end], named[:end])


def ink(strip):
    """Rows of the picture with anything but paper."""
    return int((strip < 200).any((1, 2)).sum())


def test_captions_can_be_read_in_the_350_pixels_of_a_card():
    targets, logits = torch.zeros(8, dtype=torch.long), torch.tensor([[0.0, 3.0]]).expand(8, 2)
    picture = classification_panel(torch.ones(8, 3, 32, 32), targets, logits, ("HHHH", "HHHH"))
    first = 2 * 24 + 6 + 136
    assert ink(picture[first : first + 24, 6:142]) * 350 / picture.shape[1] >= 6.5  # pixels of a capital


def test_the_notes_of_masks_can_be_read_in_the_350_pixels_of_a_card():
    images, targets, logits = segmentation(size=256, n=1)
    picture = segmentation_panel(images, targets, logits, title="HHHH")
    assert ink(picture[:40, 6:200]) * 350 / picture.shape[1] >= 6.5


def test_at_most_eight_rows():
    many = classification_panel(torch.rand(50, 1, 8, 8), torch.zeros(50, dtype=torch.long), torch.rand(50, 2))
    full = classification_panel(torch.rand(32, 1, 8, 8), torch.zeros(32, dtype=torch.long), torch.rand(32, 2))
    assert many.shape == full.shape


def segmentation(classes=4, size=128, n=2):
    targets = torch.randint(classes, (n, size // 16, size // 16)).repeat_interleave(16, 1).repeat_interleave(16, 2)
    return torch.rand(n, 3, size, size), targets, one_hot(targets, classes).permute(0, 3, 1, 2).float()


def test_right_masks_have_no_red_and_wrong_pixels_are_counted():
    images, targets, logits = segmentation()
    assert count(segmentation_panel(images, targets, logits), WRONG) == 0
    logits[0, :, :10, :20] = one_hot((targets[0, :10, :20] + 1) % 4, 4).permute(2, 0, 1).float()
    assert count(segmentation_panel(images, targets, logits), WRONG) == 200


def test_ignored_pixels_are_never_wrong():
    images, targets, logits = segmentation()
    targets[:, :16] = 255
    assert count(segmentation_panel(images, targets, logits, ignore_index=255), WRONG) == 0
    assert count(segmentation_panel(images, targets, logits), WRONG) == 2 * 16 * 128


@pytest.mark.parametrize("extra_axis", [False, True])
def test_binary_masks(extra_axis):
    truth = torch.zeros(1, 128, 128, dtype=torch.long)
    truth[:, :64] = 1
    logits = torch.where(truth == 1, 2.0, -2.0)[:, None]
    logits[:, :, 0] = -2.0
    targets = truth[:, None].float() if extra_axis else truth
    assert count(segmentation_panel(torch.rand(1, 3, 128, 128), targets, logits), WRONG) == 128


def test_legend_has_the_classes_that_occur():
    images, targets, logits = segmentation(classes=3, n=1)
    targets[:], logits[:, 0] = 0, 9.0
    picture = segmentation_panel(images, targets, logits, ("road", "car", "tree"))
    assert count(picture, palette(3)[0]) == 16 * 16
    assert count(picture, palette(3)[1]) == 0


def test_overlay_tints_inside_and_leaves_ignored_pixels():
    picture = np.full((8, 8, 3), 100, np.uint8)
    mask = np.zeros((8, 8), np.int64)
    mask[4:] = 255
    colors = np.array([[200, 0, 100]], np.uint8)
    result = overlay(picture, mask, colors)
    assert result[0, 0].tolist() == [160, 40, 100]  # 0.4 * 100 + 0.6 * colour
    assert result[7, 7].tolist() == [100, 100, 100]
    assert result[4, 3].max() < 60  # the line between


def test_mark_leaves_right_pixels_grey():
    marked = mark(np.full((2, 2, 3), (0, 100, 200), np.uint8), np.eye(2, dtype=bool), np.zeros((2, 2), bool))
    assert marked[0, 0].tolist() == list(WRONG)
    assert len(set(marked[0, 1].tolist())) == 1


@pytest.mark.parametrize("classes", [2, 11, 40])
def test_colors_are_distinct_and_stay_when_classes_are_added(classes):
    colors = palette(classes)
    assert len({tuple(color) for color in colors}) == classes
    assert np.array_equal(palette(classes + 5)[:classes], colors)


def test_legend_wraps():
    names = [f"class number {index}" for index in range(9)]
    assert legend(names, palette(9), 400).shape == (60, 400, 3)
