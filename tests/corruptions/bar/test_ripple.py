import math

import pytest
import torch

from robustlit.corruptions.bar.ripple import Ripple, RippleDraws, ripple
from tests.corruptions import golden
from tests.corruptions.replays.bar_geometry import REPLAYS


@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(severity):
    arrays = golden.arrays("cifar", "bar")
    level = Ripple().level("cifar", severity)
    draws = REPLAYS["ripple"](golden.stream(severity), arrays["input"], level)
    ours = Ripple().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"ripple_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.15


def test_a_slope_shows_the_waves():
    slope = (torch.arange(40.0) / 80 + 0.25)[None, None, :, None].expand(1, 1, 40, 24)
    found = ripple(slope, torch.tensor([[10.0, 7.0]]), torch.tensor([[0.3, 0.0]]), 0.5)
    rows = torch.arange(40.0)
    wanted = (rows + 0.5 * torch.sin(2 * math.pi * rows / 10 + 0.3)) / 80 + 0.25
    assert torch.allclose(found[0, 0, 1:-1, 12], wanted[1:-1], atol=1e-5)


def test_masks_move_with_the_pixels():
    blocks = (torch.rand(1, 6, 6, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    masks = blocks.repeat_interleave(8, 1).repeat_interleave(8, 2)
    draws = RippleDraws(torch.tensor([[11.0, 13.0]]), torch.tensor([[1.0, 2.0]]))
    images = Ripple().apply(masks[:, None], draws, (0.02,))
    moved = Ripple().warp(masks.long(), draws, (0.02,))
    inner = slice(2, -2)
    assert ((images[:, 0] > 0.5) == moved.bool())[:, inner, inner].float().mean() > 0.99
    assert (moved != masks).float().mean() > 0.02
