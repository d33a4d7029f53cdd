import torch
from torch.testing import assert_close

from robustlit.explanations import concentration


def test_it_is_half_the_mean_difference_over_the_mean() -> None:
    maps = torch.randn(3, 5, 6)
    values = maps.flatten(1).abs()
    difference = (values[:, :, None] - values[:, None, :]).abs().mean((1, 2))
    assert_close(concentration(maps), difference / (2 * values.mean(1)))


def test_one_pixel_has_everything() -> None:
    maps = torch.zeros(1, 10, 10)
    maps[0, 3, 4] = -2
    assert_close(concentration(maps), torch.tensor([0.99]))
    assert concentration(torch.zeros(1, 2, 2)).isnan().all()
