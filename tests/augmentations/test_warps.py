"""Warps against Pillow's affine transform, away from the black beyond the border, and shifts against slices."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.augmentations.warps import affine, shift
from tests.augmentations.style_cases import pictures

ROTATION = (math.cos(0.3), -math.sin(0.3), 6.0, math.sin(0.3), math.cos(0.3), -4.0)


@pytest.mark.parametrize("matrix", [(1, 0.2, 0, 0, 1, 0), (1, 0, 0, -0.25, 1, 0), (1, 0, 3, 0, 1, -2), ROTATION])
def test_affine_is_pillows(matrix) -> None:
    image = pictures(1)
    result = affine(image, torch.tensor(matrix).view(1, 2, 3))[0].numpy()
    ones = affine(torch.ones_like(image), torch.tensor(matrix).view(1, 2, 3))[0].numpy()
    for c in range(3):
        channel = Image.fromarray(image[0, c].numpy(), mode="F")
        expected = np.asarray(channel.transform((33, 24), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))
        inside = ones[c] > 0.999
        assert inside.mean() > 0.4
        np.testing.assert_allclose(result[c][inside], expected[inside], atol=1e-4)
        outside = ones[c] == 0
        np.testing.assert_array_equal(result[c][outside], 0)


def test_a_matrix_a_sample() -> None:
    images, matrices = pictures(2), torch.tensor([[[1, 0.1, 0], [0, 1, 0]], [[1, 0, 2], [0.2, 1, 0]]])
    whole = affine(images, matrices)
    assert torch.equal(whole[1], affine(images[1:], matrices[1:])[0])


@pytest.mark.parametrize("moved", [(0, 0), (5, 0), (-4, 3), (0, -30), (40, 2)])
def test_shift_moves_whole_pixels(moved) -> None:
    images, (right, down) = pictures(2), moved
    result = shift(images, torch.tensor([moved, (0, 0)], dtype=torch.float32))
    for y in range(24):
        for x in range(33):
            inside = 0 <= y + down < 24 and 0 <= x + right < 33
            expected = images[0, :, y + down, x + right] if inside else torch.zeros(3)
            assert torch.equal(result[0, :, y, x], expected)
    assert torch.equal(result[1], images[1])
