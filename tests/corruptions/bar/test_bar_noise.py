"""What holds for all additive and masking C-bar corruptions: the published pixels, the same for any batch."""

import pytest
import torch
from torch import Tensor

from robustlit.core.random import sample_seeds
from robustlit.corruptions import BAR_CIFAR, BAR_IMAGENET, corrupt
from robustlit.corruptions.registry import named
from tests.corruptions import golden
from tests.corruptions.replays.bar_noise import REPLAYS

CELLS = [
    (preset, name, severity)
    for preset, names in (("imagenet", BAR_IMAGENET), ("cifar", BAR_CIFAR))
    for name in names
    if name in REPLAYS
    for severity in (1, 2, 3, 4, 5)
]


def test_the_presets_are_the_families() -> None:
    for name in REPLAYS:
        families = [preset for preset, names in (("imagenet", BAR_IMAGENET), ("cifar", BAR_CIFAR)) if name in names]
        assert list(named(name).presets()) == families


@pytest.mark.parametrize(("preset", "name", "severity"), CELLS)
def test_published_pixels(preset: str, name: str, severity: int) -> None:
    arrays, found = golden.arrays(preset, "bar"), named(name)
    level = found.level(preset, severity)
    draws = REPLAYS[name](golden.stream(severity), arrays["input"], level)
    largest, mean = golden.difference(
        found.apply(golden.unit(arrays["input"]), draws, level), arrays[f"{name}_{severity}"]
    )
    assert largest <= 1
    assert abs(mean) <= 0.01


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 40, 37), (1, 19, 17), (3, 97, 130)])
@pytest.mark.parametrize("name", REPLAYS)
def test_same_pixels_for_any_batch(name: str, shape: tuple[int, int, int]) -> None:
    images = torch.rand(7, *shape)
    seeds = sample_seeds(5, torch.arange(7))
    together = corrupt(images, name, 3, seed=seeds, quantize=False)
    assert together.shape == images.shape
    assert together.isfinite().all()
    assert not torch.equal(together, images)
    for index in range(7):
        one = slice(index, index + 1)
        assert torch.equal(corrupt(images[one], name, 3, seed=seeds[one], quantize=False), together[one])
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    assert torch.equal(corrupt(images[order], name, 3, seed=seeds[order], quantize=False), together[order])


@pytest.mark.parametrize("name", REPLAYS)
@pytest.mark.parametrize("size", [(16, 16), (17, 61), (64, 16)])
def test_small_and_narrow_images(name: str, size: tuple[int, int]) -> None:
    images = torch.full((5, 3, *size), 64 / 255)
    for severity in (1, 5):
        changed = corrupt(images, name, severity)
        assert changed.isfinite().all()
        few = name == "lines" and severity == 1  # less than one line in 16 pixels
        assert few or (changed - images).abs().amax() > 0.02


@pytest.mark.parametrize("name", [name for name in REPLAYS if name not in ("plasma_noise", "brownish_noise")])
def test_grey_images_are_color_images_of_equal_channels(name: str) -> None:
    grey = torch.rand(2, 1, 32, 32)
    assert torch.equal(corrupt(grey.expand(-1, 3, -1, -1), name, 2), corrupt(grey, name, 2).expand(-1, 3, -1, -1))


@pytest.mark.parametrize("name", REPLAYS)
def test_own_draws_are_distributed_as_the_published(name: str) -> None:
    """Mean and deviation of the change and its spectrum in four rings, over 96 draws of each kind."""
    found, count = named(name), 96
    level = found.level(found.presets()[0], 4)
    image = (picture() * 255).byte()
    unit = image[None].float() / 255
    ours = found.apply(
        unit.expand(count, -1, -1, -1),
        found.sample(torch.Size((count, 3, 48, 48)), sample_seeds(1, torch.arange(count)), level),
        level,
    )
    array = image.permute(1, 2, 0).numpy()
    replayed = [found.apply(unit, REPLAYS[name](golden.stream(i), array, level), level) for i in range(count)]
    published = torch.cat(replayed)
    for mine, theirs in zip(figures(ours - unit), figures(published - unit), strict=True):
        error = 4 * float((mine.var() / count + theirs.var() / count).sqrt())
        assert float(mine.mean()) == pytest.approx(float(theirs.mean()), rel=0.05, abs=error)


def picture() -> Tensor:
    """A smooth picture with some contrast, 3×48×48 in [0.2, 0.8]."""
    place = torch.linspace(0, 6, 48)
    return 0.5 + 0.3 * torch.stack([(place[:, None] * k).sin() * (place * (3 - k)).cos() for k in (0.5, 1.0, 2.0)])


def figures(change: Tensor) -> list[Tensor]:
    """One number a draw each: mean size of the change, its deviation, and its power in four rings of frequencies."""
    power = torch.fft.fft2(change).abs().square().mean(1)
    rows = torch.fft.fftfreq(change.shape[-1])
    ring = ((rows[:, None] ** 2 + rows**2).sqrt() * 8).long().clamp_max(3)
    return [
        change.abs().mean((1, 2, 3)),
        change.std((1, 2, 3)),
        *(power[:, ring == number].mean(1) for number in range(4)),
    ]
