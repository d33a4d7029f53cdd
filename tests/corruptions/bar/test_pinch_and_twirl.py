import pytest
import torch

from robustlit.corruptions.bar.pinch_and_twirl import PinchAndTwirl, PinchAndTwirlDraws, pinch_and_twirl
from tests.corruptions import golden
from tests.corruptions.replays.bar_geometry import REPLAYS


@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(severity):
    arrays = golden.arrays("cifar", "bar")
    level = PinchAndTwirl().level("cifar", severity)
    draws = REPLAYS["pinch_and_twirl"](golden.stream(severity), arrays["input"], level)
    ours = PinchAndTwirl().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"pinch_and_twirl_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.15


def test_outside_the_discs_nothing_moves_and_inside_it_does():
    images = torch.rand(1, 3, 32, 47, generator=torch.Generator().manual_seed(0))
    found = pinch_and_twirl(images, torch.ones(1, 3, 4), 1.0, 0.4)
    still = (found == images).all(dim=1)[0]
    assert bool(still[30:].all()) and bool(still[:, 40:].all())  # 3×4 tiles of 10 px
    corners = [(10 * i + d, 10 * j + e) for i in range(3) for j in range(4) for d in (0, 9) for e in (0, 9)]
    assert all(bool(still[row, column]) for row, column in corners)
    assert bool((~still[2:9, 2:9]).float().mean() > 0.8)


@pytest.mark.parametrize(("side", "tiles"), [(32, (3, 3)), (224, (5, 5)), (64, (3, 3))])
def test_the_number_of_tiles_is_the_source_s(side, tiles):
    draws = PinchAndTwirl().sample(torch.Size((2, 3, side, side)), torch.tensor([1, 2]), (0.0, 0.0))
    assert draws.signs.shape[1:] == tiles
    assert set(draws.signs.flatten().tolist()) == {-1.0, 1.0}


def test_opposite_signs_turn_opposite_ways():
    images = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    level = PinchAndTwirl().level("cifar", 3)
    one = PinchAndTwirl().apply(images, PinchAndTwirlDraws(torch.ones(1, 3, 3)), level)
    # about a pixel a disc is centred on, mirroring the picture mirrors the turn
    mirrored = images.clone()
    mirrored[..., 1:10, 1:10] = images[..., 1:10, 1:10].flip(-1)
    other = PinchAndTwirl().apply(mirrored, PinchAndTwirlDraws(-torch.ones(1, 3, 3)), level)
    assert torch.allclose(one[..., 2:9, 2:9].flip(-1), other[..., 2:9, 2:9], atol=1e-5)
    assert not torch.allclose(one, PinchAndTwirl().apply(images, PinchAndTwirlDraws(-torch.ones(1, 3, 3)), level))


def test_masks_move_with_the_pixels():
    masks = (torch.arange(64)[:, None] + torch.arange(64) > 63).float()[None]
    draws = PinchAndTwirlDraws(torch.ones(1, 3, 3))
    level = PinchAndTwirl().level("cifar", 5)
    images = PinchAndTwirl().apply(masks[:, None], draws, level)
    moved = PinchAndTwirl().warp(masks.long(), draws, level)
    assert ((images[:, 0] > 0.5) == moved.bool()).float().mean() > 0.98
    assert (moved != masks).float().mean() > 0.01
