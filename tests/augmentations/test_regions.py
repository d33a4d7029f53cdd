"""Regions against plain loops over pixels."""

import math

import pytest
import torch

from robustlit.augmentations import ClassMasks, FullImage, SquarePatch, Voronoi
from robustlit.core.random import sample_seeds

SIZE = (13, 22)


def drawn(region, count=6, size=SIZE):
    return region.sample(torch.Size((count, 3, *size)), sample_seeds(5, torch.arange(count)))


def test_full_image_is_one_cell() -> None:
    assert FullImage().cells(drawn(FullImage()), SIZE).unique().tolist() == [0]


@pytest.mark.parametrize(("size", "up_to"), [(5, False), (8, True), (60, False)])
def test_square_patch_pixel_by_pixel(size, up_to) -> None:
    region = SquarePatch(size, sample_up_to=up_to)
    params = drawn(region)
    cells = region.cells(params, SIZE)
    for i in range(6):
        top, left, side = int(params.top[i]), int(params.left[i]), int(params.side[i])
        assert 0 <= top + side // 2 < SIZE[0] and 0 <= left + side // 2 < SIZE[1] and 1 <= side <= size
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                inside = top <= y < top + side and left <= x < left + side
                assert cells[i, y, x] == (0 if inside else -1)


def test_voronoi_cells_are_those_of_the_nearest_site() -> None:
    region = Voronoi(7)
    params = drawn(region)
    cells = region.cells(params, SIZE)
    for i in range(6):
        sites = list(zip(params.rows[i].tolist(), params.columns[i].tolist(), strict=True))
        assert all(0 <= y < SIZE[0] and 0 <= x < SIZE[1] for y, x in sites)
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                distances = [(y - row) ** 2 + (x - column) ** 2 for row, column in sites]
                assert cells[i, y, x] == distances.index(min(distances))


def test_class_masks_follow_the_classes() -> None:
    region, masks = ClassMasks(4, share=0.5, styles=3), torch.randint(0, 4, (6, *SIZE))
    masks[:, 0] = 255
    params = drawn(region)
    cells = region.cells(params, SIZE, masks)
    assert (cells[:, 0] == -1).all()
    for i in range(6):
        for number in range(4):
            assert cells[i][masks[i] == number].unique().tolist() == [int(params.cell[i, number])]


def test_class_masks_share_and_styles() -> None:
    region = ClassMasks(5, share=0.3, styles=2)
    cell = drawn(region, 4000).cell
    share = (cell >= 0).double().mean()
    assert abs(share - 0.3) < 5 * math.sqrt(0.21 / 20_000)
    assert abs((cell[cell >= 0] == 1).double().mean() - 0.5) < 5 * math.sqrt(0.25 / 6000)


@pytest.mark.parametrize("region", [SquarePatch(9, sample_up_to=True), Voronoi(3), ClassMasks(5)])
def test_draws_are_per_sample(region) -> None:
    seeds = sample_seeds(5, torch.arange(6))
    whole = drawn(region)
    for name, values in vars(whole).items():
        for i in range(6):
            alone = region.sample(torch.Size((1, 3, *SIZE)), seeds[i : i + 1])
            assert torch.equal(getattr(alone, name)[0], values[i])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SquarePatch(0), "expected a patch of at least 1 pixel, got 0"),
        (lambda: Voronoi(0), "expected at least 1 Voronoi cell, got 0"),
        (lambda: ClassMasks(3, share=1.5), r"expected share in \[0, 1\], got 1.5"),
        (lambda: ClassMasks(0), "expected num_classes and styles of at least 1, got 0 and 1"),
    ],
)
def test_wrong_settings(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_class_masks_need_masks() -> None:
    with pytest.raises(ValueError, match="expected class masks for the region ClassMasks, got none"):
        ClassMasks(3).cells(drawn(ClassMasks(3)), SIZE)
