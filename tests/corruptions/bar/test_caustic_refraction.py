import numpy as np
import pytest
import torch

from robustlit.corruptions.bar.caustic_refraction import CausticRefraction, caustic_refraction, caustics
from tests.corruptions import golden
from tests.corruptions.replays.bar_geometry import REPLAYS


@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(severity):
    arrays = golden.arrays("imagenet", "bar")
    level = CausticRefraction().level("imagenet", severity)
    draws = REPLAYS["caustic_refraction"](golden.stream(severity), arrays["input"], level)
    ours = CausticRefraction().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"caustic_refraction_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.15


def by_formula(row: float, column: float, time: float, size: float) -> float:
    """The pattern at one place in float64, before smoothing."""
    p = 2 * np.pi * (np.array([row, column]) / size % 1) - 250
    i, c = p.copy(), 1.0
    for n in range(1, 6):
        t = time * (1 - 3.5 / n)
        i = p + np.array([np.cos(t - i[0]) + np.sin(t + i[1]), np.sin(t - i[1]) + np.cos(t + i[0])])
        c += 1 / np.hypot(0.005 * p[0] / np.sin(i[0] + t), 0.005 * p[1] / np.cos(i[1] + t))
    return float(np.clip(abs(1.17 - (c / 5) ** 1.4) ** 8, 0, 1))


def test_the_pattern_is_the_formula_s_in_float64_smoothed():
    ndimage = pytest.importorskip("scipy.ndimage")
    wanted = np.array([[by_formula(r, c, 0.7, 26.5) for c in range(33)] for r in range(21)])
    found = caustics(torch.tensor([0.7]), torch.tensor([26.5]), 21, 33)[0].numpy()
    assert abs(found - ndimage.gaussian_filter(wanted, 1)).max() < 1e-5


def test_still_water_changes_nothing_inside():
    images = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    found = caustic_refraction(images, torch.zeros(1, 20, 30), 50.0, 1.0)
    assert torch.equal(found, images)


def test_an_even_slope_shifts_by_snell_s_law_and_lights():
    images = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    pattern = 0.1 * torch.arange(40.0)[None, :, None].expand(1, 40, 40)  # neighbours differ by 0.2
    angle = np.arctan(0.2)
    bent = angle - np.arcsin(np.sin(angle) / 4)  # from the vertical
    shift = round(float(np.sin(bent)) * 20, 3)
    low, part = int(shift), shift % 1
    wanted = images[..., 5 + low : 25 + low, :] * (1 - part) + images[..., 6 + low : 26 + low, :] * part
    found = caustic_refraction(images, pattern, 20.0, 0.5)[..., 5:25, :]
    assert torch.allclose(found[..., 1:-1], (wanted + 0.1)[..., 1:-1], atol=1e-4)


def test_masks_move_with_the_pixels():
    masks = (torch.arange(96)[:, None] // 24 % 2 == torch.arange(96) // 24 % 2).float()[None]
    level = CausticRefraction().level("imagenet", 1)
    draws = CausticRefraction().sample(torch.Size((1, 1, 96, 96)), torch.tensor([3]), level)
    moved = CausticRefraction().warp(masks.long(), draws, level)
    images = caustic_refraction(masks[:, None], caustics(draws.time, draws.size, 96, 96), level[0] * 96, 0.0)
    inner = slice(8, -8)
    assert ((images[:, 0] > 0.5) == moved.bool())[:, inner, inner].float().mean() > 0.97
    assert (moved != masks).float().mean() > 0.005
