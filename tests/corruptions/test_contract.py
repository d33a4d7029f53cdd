"""What holds for every exported corruption and every preset it has."""

import random
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import Tensor

from robustlit.core.random import sample_seeds
from robustlit.corruptions import BAR, COMMON, EXTRA, corrupt
from robustlit.corruptions.base import Draws
from robustlit.corruptions.pixels import chunks, truncate
from robustlit.corruptions.registry import named, names

NAMES = sorted(names())
CELLS = [(name, preset) for name in NAMES for preset in named(name).presets()]
every_name = pytest.mark.parametrize("name", NAMES)
every_cell = pytest.mark.parametrize(("name", "preset"), CELLS)


def pictures(count: int, height: int, width: int, channels: int = 3) -> Tensor:
    """uint8 images with smooth parts, edges, noise, and the two ends of the range."""
    generator = torch.Generator().manual_seed(count + height)
    noise = torch.rand(count, channels, height, width, generator=generator)
    slope = torch.linspace(-0.2, 1.1, width) * torch.linspace(0.4, 1, height)[:, None]
    edges = torch.rand(count, channels, 1, 1, generator=generator) * (slope > 0.5)
    return ((0.6 * slope + 0.3 * edges + 0.25 * noise).clamp(0, 1) * 255).byte()


def drawn(name: str, seeds: Tensor, preset: str | None = None, shape: tuple[int, int, int] = (3, 32, 32)) -> Draws:
    corruption = named(name)
    level = corruption.level(preset or corruption.presets()[0], 3)
    return corruption.sample(corruption.shape_of_draws(torch.Size((len(seeds), *shape))), seeds, level)


def is_random(name: str) -> bool:
    return bool(fields(drawn(name, torch.tensor([1]))))


def test_every_published_name_is_exported():
    assert set(NAMES) == {*COMMON, *EXTRA, *BAR}


@every_name
def test_presets_have_five_levels_of_one_length_for_the_published_families(name):
    levels = named(name).levels
    assert set(levels) == ({"imagenet", "tiny", "cifar"} if name not in BAR else set(levels) & {"imagenet", "cifar"})
    for table in levels.values():
        assert len(table) == 5
        assert len({len(level) for level in table}) == 1


@every_cell
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_the_same_pixels_for_any_batch_size_and_order(name, preset, severity):
    images, seeds = pictures(64, 32, 32), sample_seeds(5, torch.arange(64))
    whole = corrupt(images, name, severity, preset=preset, seed=seeds)
    sevens = [
        corrupt(part, name, severity, preset=preset, seed=own)
        for part, own in zip(images.split(7), seeds.split(7), strict=True)
    ]
    assert torch.equal(torch.cat(sevens), whole)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(corrupt(images[order], name, severity, preset=preset, seed=seeds[order]), whole[order])
    for i in (0, 6, 63):
        assert torch.equal(
            corrupt(images[i : i + 1], name, severity, preset=preset, seed=seeds[i : i + 1])[0], whole[i]
        )


@every_cell
def test_the_same_pixels_for_any_batch_size_at_a_larger_size_that_is_not_square(name, preset):
    images, seeds = pictures(7, 72, 101), sample_seeds(5, torch.arange(7))
    whole = corrupt(images, name, 4, preset=preset, seed=seeds)
    alone = [corrupt(images[i : i + 1], name, 4, preset=preset, seed=seeds[i : i + 1]) for i in range(7)]
    assert torch.equal(torch.cat(alone), whole)


@every_name
def test_an_int_seed_is_spread_over_the_samples_by_their_position(name):
    images = pictures(1, 32, 32).expand(3, -1, -1, -1)
    found = corrupt(images, name, 3, seed=9)
    assert torch.equal(found, corrupt(images, name, 3, seed=sample_seeds(9, torch.arange(3))))
    assert torch.equal(found[0], found[1]) != is_random(name)


@every_cell
def test_bytes_and_floats_give_the_same(name, preset):
    images = pictures(3, 32, 32)
    of_bytes = corrupt(images, name, 3, preset=preset)
    of_floats = corrupt(images.float() / 255, name, 3, preset=preset)
    assert of_bytes.dtype == torch.uint8
    assert torch.equal(of_bytes.float() / 255, of_floats)


@every_name
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_dtype_is_kept_and_the_arithmetic_is_float32(name, dtype):
    images = (pictures(2, 32, 32).float() / 255).to(dtype)
    found = corrupt(images, name, 3)
    assert found.dtype == dtype
    assert torch.equal(found, corrupt(images.float(), name, 3).to(dtype))


@every_name
def test_the_type_of_new_tensors_changes_nothing(name):
    images = pictures(2, 32, 32)
    expected = corrupt(images, name, 3)
    torch.set_default_dtype(torch.bfloat16)  # as Lightning does within a step of precision "bf16-true"
    try:
        assert torch.equal(corrupt(images, name, 3), expected)
        assert torch.get_default_dtype() == torch.bfloat16
    finally:
        torch.set_default_dtype(torch.float32)


@every_cell
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_are_kept_and_something_changes(name, preset, channels):
    images = pictures(2, 24, 40, channels)
    before = images.clone()
    found = corrupt(images, name, 5, preset=preset)
    assert found.shape == images.shape
    assert torch.equal(images, before)
    change = (found.float() - images.float()).abs().mean(dim=(1, 2, 3))
    assert bool((change > 0.2).all()) and bool((change < 200).all())


@every_cell
def test_the_smallest_size_and_an_empty_batch(name, preset):
    assert corrupt(pictures(2, 16, 16), name, 5, preset=preset).shape == (2, 3, 16, 16)
    assert corrupt(pictures(2, 32, 32)[:0], name, 5, preset=preset).shape == (0, 3, 32, 32)


@every_name
def test_no_global_random_state_is_read_or_written(name):
    images = pictures(2, 32, 32)
    torch.manual_seed(1)
    first = corrupt(images, name, 3)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    second = corrupt(images, name, 3)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert random.getstate() == states[2]
    assert torch.equal(first, second)


@every_cell
def test_severities_between_two_levels_where_they_mean_something(name, preset):
    corruption, images = named(name), pictures(1, 32, 32)
    if not corruption.continuous:
        with pytest.raises(ValueError, match="whole severity"):
            corrupt(images, name, 2.5, preset=preset)
        return
    low, middle, high = (corruption.level(preset, severity) for severity in (2, 2.5, 3))
    assert middle == pytest.approx([(a + b) / 2 for a, b in zip(low, high, strict=True)])
    assert corrupt(images, name, 2.5, preset=preset).shape == images.shape
    assert torch.equal(corrupt(images, name, 3.0, preset=preset), corrupt(images, name, 3, preset=preset))


@every_cell
def test_floats_that_are_not_truncated_truncate_to_the_published_pixels(name, preset):
    images = pictures(2, 32, 32).float() / 255
    fine = corrupt(images, name, 4, preset=preset, quantize=False)
    assert bool(fine.isfinite().all())
    assert float(fine.min()) >= 0 and float(fine.max()) <= 1
    assert torch.equal(truncate(fine), corrupt(images, name, 4, preset=preset))


@every_cell
@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_images_stay_finite(name, preset, value):
    images = torch.full((2, 3, 32, 32), value / 255)
    fine = corrupt(images, name, 5, preset=preset, quantize=False)
    assert bool(fine.isfinite().all())


@every_cell
def test_the_draws_of_a_sample_are_of_its_seed_alone(name, preset):
    seeds = sample_seeds(3, torch.arange(8))
    together, alone = drawn(name, seeds, preset), drawn(name, seeds[3:4], preset)
    values = {field.name: getattr(together, field.name) for field in fields(together)}
    tensors = {field: value for field, value in values.items() if isinstance(value, Tensor)}
    for field, value in tensors.items():
        assert len(value) == 8
        assert torch.equal(value[3:4], getattr(alone, field))
    if tensors:
        assert any(bool((value != value[:1]).any()) for value in tensors.values())


@pytest.mark.parametrize("shape", [(5, 3, 32, 32), (3, 3, 320, 320), (2, 1, 600, 600), (0, 3, 32, 32)])
def test_chunks_cover_every_image_once_however_large(shape):
    parts = [list(range(shape[0]))[part] for part in chunks(torch.empty(shape))]
    assert all(parts)
    assert [place for part in parts for place in part] == list(range(shape[0]))
