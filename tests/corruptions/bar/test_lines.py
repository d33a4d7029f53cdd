import math
import random

import pytest
import torch

from robustlit.corruptions import corrupt
from robustlit.corruptions.bar.lines import lines
from robustlit.corruptions.registry import named

SIZE = 24


def walk(start: tuple[int, int], end: tuple[int, int]) -> dict[tuple[int, int], float]:
    """Zingl's anti-aliased line, pixel by pixel: how much of each is covered."""
    (row, column), (last_row, last_column) = start, end
    down, right = abs(last_row - row), abs(last_column - column)
    step_row, step_column = (1 if row < last_row else -1), (1 if column < last_column else -1)
    length, error, covered = math.hypot(down, right), right - down, {}
    while True:
        covered[row, column] = 1 - abs(error - right + down) / length
        before, old_column = error, column
        if 2 * before >= -right:
            if column == last_column:
                return covered
            if before + down < length:
                covered[row + step_row, column] = 1 - abs(before + down) / length
            error, column = error - down, column + step_column
        if 2 * before <= down:
            if row == last_row:
                return covered
            if right - before < length:
                covered[row, old_column + step_column] = 1 - abs(right - before) / length
            error, row = error + right, row + step_row


def test_pixels_are_those_of_the_line_walked_step_by_step() -> None:
    chance = random.Random(0)
    for _ in range(200):
        point, angle = [chance.uniform(0, SIZE), chance.uniform(0, SIZE)], chance.uniform(0, 2 * math.pi)
        half = (SIZE * math.cos(angle), SIZE * math.sin(angle))
        start = (int(point[0] - half[0]), int(point[1] - half[1]))
        end = (int(point[0] + half[0]), int(point[1] + half[1]))
        expected = torch.zeros(SIZE, SIZE)
        for (row, column), share in walk(start, end).items():
            if 0 <= row < SIZE and 0 <= column < SIZE:
                expected[row, column] = math.floor(share * 128 + 1e-6) / 255
        drawn = lines(
            torch.zeros(1, 1, SIZE, SIZE),
            torch.tensor([[point]], dtype=torch.float64),
            torch.tensor([[angle]], dtype=torch.float64),
            SIZE,
        )
        # where the share is a whole level, rounding may decide on the next
        assert (drawn[0, 0] - expected).abs().max() * 255 < 1.01


@pytest.mark.parametrize(("severity", "number"), [(1, 1), (2, 3), (3, 4), (4, 6), (5, 8)])
def test_number_of_lines_at_32_pixels(severity: int, number: int) -> None:
    found = named("lines")
    draws = found.sample(torch.Size((2, 3, 32, 32)), torch.tensor([1, 2]), found.level("cifar", severity))
    assert draws.points.shape == (2, number, 2)
    assert draws.points.amin() >= 0
    assert draws.points.amax() < 32


def test_what_no_line_touches_stays() -> None:
    images = torch.rand(4, 3, 32, 32)
    changed = corrupt(images, "lines", 1, quantize=False)
    untouched = (changed == images).all(1)
    assert 0.8 < untouched.float().mean() < 1
    assert ((changed - 128 / 255).abs() <= (images - 128 / 255).abs() + 1.01 / 255).all()


def test_without_lines_nothing_changes() -> None:
    images = torch.full((1, 3, 16, 16), 0.25)
    assert torch.equal(corrupt(images, "lines", 1, quantize=False), images)
