import numpy as np
import pytest
import torch

from robustlit.panels import confusion_panel
from robustlit.panels.text import text_width


def fill(picture, row, column, classes, cell):
    """Colour of a matrix cell, counted from the bottom margin of 6 pixels and the names at the left."""
    top = picture.shape[0] - 6 - cell * (classes - row)
    left = 6 + text_width("1") + 8 + cell * column
    return tuple(int(value) for value in picture[top + 2, left + 2])


def test_rows_are_shares_of_the_true_class():
    counts = torch.tensor([[10, 0], [5, 5]])
    picture = confusion_panel(counts)
    assert fill(picture, 0, 0, 2, 44) == (24, 128, 56)  # all right: full green
    assert fill(picture, 0, 1, 2, 44) == (255, 255, 255)
    assert fill(picture, 1, 0, 2, 44) == (228, 142, 142)  # half wrong: half red, rounded to even
    assert np.array_equal(confusion_panel(counts * 7), picture)


def test_a_class_without_samples_is_white():
    assert fill(confusion_panel(torch.tensor([[3, 0], [0, 0]])), 1, 1, 2, 44) == (255, 255, 255)


@pytest.mark.parametrize("classes", [2, 10, 100, 1000])
def test_size_stays_in_bounds(classes):
    picture = confusion_panel(torch.eye(classes), [f"a rather long class name {index}" for index in range(classes)])
    assert max(picture.shape) <= max(700, classes + 110)
