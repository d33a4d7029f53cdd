import math

import pytest
import torch

from robustlit.corruptions import corrupt
from robustlit.corruptions.bar.checkerboard_cutout import checkerboard_cutout
from robustlit.corruptions.registry import named

SIZE = 20


def test_squares_counted_one_by_one() -> None:
    angle, cell, side, numbers = 0.7, 3.3, 24, torch.rand(40, 40)
    cut = checkerboard_cutout(
        torch.zeros(1, 1, SIZE, SIZE + 7),
        torch.tensor([angle]).double(),
        torch.tensor([cell]).double(),
        torch.tensor([side]),
        numbers[None],
        0.4,
    )
    for row in range(SIZE):
        for column in range(SIZE + 7):
            down = (math.cos(angle) * row + math.sin(angle) * column) / cell
            right = (-math.sin(angle) * row + math.cos(angle) * column) / cell
            same = math.floor(down) % 2 == math.floor(right) % 2
            expected = same and bool(numbers[int(down) % side, int(right) % side] < 0.4)
            assert bool(cut[0, 0, row, column]) == expected


@pytest.mark.parametrize("severity", [1, 5])
def test_half_the_stated_share_is_cut(severity: int) -> None:
    changed = corrupt(torch.zeros(256, 1, 32, 32), "checkerboard_cutout", severity, preset="cifar")
    assert changed.unique().mul(255).tolist() == [0, 128]
    assert float((changed > 0).float().mean()) == pytest.approx(0.05 * severity, rel=0.12)


def test_the_grid_is_four_shorter_sides() -> None:
    found = named("checkerboard_cutout")
    draws = found.sample(torch.Size((200, 3, 32, 90)), torch.arange(200), found.level("cifar", 1))
    assert draws.side.amin() >= 16
    assert draws.side.amax() <= 40
    assert ((draws.side * draws.cell - 4 * 32).abs() <= draws.cell).all()
