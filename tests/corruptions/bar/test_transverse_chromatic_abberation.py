from collections import Counter

import numpy as np
import pytest
import torch

from robustlit.core.random import sample_seeds
from robustlit.corruptions.bar.transverse_chromatic_abberation import (
    TransverseChromaticAbberation,
    transverse_chromatic_abberation,
)
from tests.corruptions import golden
from tests.corruptions.replays.bar_geometry import REPLAYS

CORRUPTION = TransverseChromaticAbberation()


@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(severity):
    arrays = golden.arrays("cifar", "bar")
    level = CORRUPTION.level("cifar", severity)
    draws = REPLAYS[CORRUPTION.name](golden.stream(severity), arrays["input"], level)
    ours = CORRUPTION.apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"{CORRUPTION.name}_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.15


def test_is_scipy_s_zoom_on_images_that_are_not_square():
    ndimage = pytest.importorskip("scipy.ndimage")
    image = torch.randint(0, 256, (3, 20, 37), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    order = torch.tensor([[2, 0, 1]])
    found = transverse_chromatic_abberation(image[None].float() / 255, order, 0.45)[0]
    for channel, half_steps in enumerate(order[0].tolist()):
        zoomed = ndimage.zoom(image[channel].numpy(), 1 + 0.225 * half_steps, prefilter=False)
        top, left = (zoomed.shape[0] - 20) // 2, (zoomed.shape[1] - 37) // 2
        wanted = zoomed[top : top + 20, left : left + 37].astype(int)
        difference = np.abs((found[channel] * 255).round().int().numpy() - wanted)
        assert difference.max() <= 1
        assert difference.mean() < 0.05


def test_every_order_of_the_channels_is_equally_likely():
    draws = CORRUPTION.sample(torch.Size((6000, 3, 16, 16)), sample_seeds(0, torch.arange(6000)), (0.05,))
    counts = Counter(map(tuple, draws.order.tolist()))
    assert len(counts) == 6
    assert all(abs(count - 1000) < 4 * (6000 * 5 / 36) ** 0.5 for count in counts.values())
