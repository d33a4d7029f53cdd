import numpy as np
import pytest
import torch

from robustlit.corruptions.ops.clipped_zoom import clipped_zoom, zoomed_part


@pytest.mark.parametrize("factor", [1.0, 1.25, 1.75, 2.25, 3.0, 4.5])
@pytest.mark.parametrize("size", [(32, 32), (33, 56)])
def test_equals_scipys_zoom_of_the_middle(factor, size):
    ndimage = pytest.importorskip("scipy.ndimage")
    field = np.random.RandomState(0).normal(size=size)
    rows, columns = (zoomed_part(length, factor) for length in size)
    enlarged = ndimage.zoom(field[rows, columns], factor, order=1)
    top, left = ((whole - kept) // 2 for whole, kept in zip(enlarged.shape, size, strict=True))
    expected = torch.from_numpy(enlarged[top : top + size[0], left : left + size[1]])
    part = torch.from_numpy(field[rows, columns]).float()[None]
    assert torch.allclose(clipped_zoom(part, *size, factor)[0].double(), expected, atol=1e-5)
