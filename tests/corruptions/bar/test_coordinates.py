import math

import pytest
import torch

from robustlit.corruptions.bar.coordinates import angle, coordinates, to_pixels


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_angle_is_atan2(dtype: torch.dtype) -> None:
    down = torch.tensor([-3.0, -1e-3, 0.0, 0.5, 7.0], dtype=dtype)[None, :, None]
    right = torch.tensor([-5.0, -1e-3, 0.0, 0.25, 9.0], dtype=dtype)[None, None, :]
    expected = [[math.atan2(x, y) for x in right.flatten().tolist()] for y in down.flatten().tolist()]
    torch.testing.assert_close(angle(down, right)[0], torch.tensor(expected, dtype=dtype))


def test_places() -> None:
    rows, columns = coordinates(torch.zeros(2, 3, 4, 5))
    assert rows.flatten().tolist() == [0, 1, 2, 3]
    assert columns.shape == (1, 1, 5)
    assert to_pixels(torch.tensor([[0.5, 0.25]]), 10, 40).tolist() == [[5, 10]]
