import io

import numpy as np
import pytest
import torch
from torch import Tensor

from robustlit.core.random import sample_seeds, uniform
from robustlit.corruptions import Corruption, CustomCorruption, Draws, corrupt, corrupt_with_masks, resolve
from robustlit.corruptions.corrupt import draw_seeds
from robustlit.corruptions.registry import named, names

IMAGES = (torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 255).byte()
GEOMETRIC = sorted(name for name in names() if named(name).geometric)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corruption": "gausian_noise"}, "try 'gaussian_noise'"),
        ({"preset": "imagnet"}, "try 'imagenet'"),
        ({"corruption": "perlin_noise", "preset": "cifar"}, "try imagenet"),
        ({"severity": 0}, "from 1 to 5"),
        ({"severity": 6}, "from 1 to 5"),
        ({"severity": True}, "from 1 to 5"),
        ({"severity": "3"}, "from 1 to 5"),
        ({"severity": float("nan")}, "from 1 to 5"),
        ({"images": IMAGES[0]}, "N×C×H×W"),
        ({"images": IMAGES.permute(0, 2, 3, 1)}, "permute"),
        ({"images": IMAGES[:, :2]}, "C 1 or 3"),
        ({"images": IMAGES[..., :15]}, "at least 16×16"),
        ({"images": IMAGES.float()}, "dividing them by 255"),
        ({"images": IMAGES.float() / 100 - 1}, "looks normalised"),
        ({"images": torch.full((1, 3, 32, 32), float("nan"))}, "NaN"),
        ({"seed": torch.zeros(2, dtype=torch.int64)}, "one seed for each of 3 images"),
        ({"storage": "png"}, "'jpeg85' or None"),
    ],
)
def test_what_means_nothing_is_an_error_of_one_line(changes, message):
    given = {"images": IMAGES, "corruption": "gaussian_noise", "severity": 3, **changes}
    with pytest.raises(ValueError, match=message) as error:
        corrupt(given.pop("images"), given.pop("corruption"), given.pop("severity"), **given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("corruption", [3, None, Corruption])
def test_what_is_no_corruption_is_a_type_error(corruption):
    with pytest.raises(TypeError, match="expected a corruption"):
        corrupt(IMAGES, corruption, 3)


def test_integer_images_that_are_not_bytes_are_a_type_error():
    with pytest.raises(TypeError, match="float images"):
        corrupt(IMAGES.int(), "defocus_blur", 3)


def test_a_function_goes_wherever_a_name_goes():
    def speckles(images: Tensor, severity: float, seeds: Tensor) -> Tensor:
        return images + severity / 10 * uniform(seeds, images.shape[1:])

    found = corrupt(IMAGES, speckles, 2.5, seed=4)
    assert found.dtype == torch.uint8
    assert torch.equal(found[2:], corrupt(IMAGES[2:], speckles, 2.5, seed=sample_seeds(4, torch.arange(3))[2:]))
    assert not torch.equal(found, corrupt(IMAGES, speckles, 2.5, seed=5))
    assert not torch.equal(found, corrupt(IMAGES, CustomCorruption(speckles, name="other"), 2.5, seed=4))
    assert resolve(speckles).name == "speckles"


def test_a_function_that_changes_the_shape_is_an_error():
    with pytest.raises(ValueError, match=r"expected half to return the shape \(3, 3, 32, 32\)"):
        corrupt(IMAGES, CustomCorruption(lambda images, severity, seeds: images[..., ::2], name="half"), 3)


class Dimmer(Corruption[Draws]):
    name = "dimmer"
    levels = {"imagenet": ((0.9,), (0.8,), (0.7,), (0.6,), (0.5,))}  # noqa: RUF012

    def sample(self, shape, seeds, level):
        return Draws()

    def change(self, images, draws, level):
        return images * level[0]


def test_a_class_of_the_user_goes_wherever_a_name_goes():
    found = corrupt(IMAGES, Dimmer(), 3)
    assert (found.int() - (IMAGES.float() * 0.7).int()).abs().max() <= 1
    with pytest.raises(ValueError, match="try imagenet"):
        corrupt(IMAGES, Dimmer(), 3, preset="cifar")


@pytest.mark.parametrize(
    ("side", "preset"), [(32, "cifar"), (48, "cifar"), (64, "tiny"), (112, "tiny"), (113, "imagenet")]
)
def test_auto_goes_by_the_shorter_side(side, preset):
    images = IMAGES.repeat(1, 1, 4, 5)[:, :, :side, : side + 20]
    assert torch.equal(corrupt(images, "defocus_blur", 3), corrupt(images, "defocus_blur", 3, preset=preset))
    for other in {"cifar", "tiny", "imagenet"} - {preset}:
        assert not torch.equal(corrupt(images, "defocus_blur", 3), corrupt(images, "defocus_blur", 3, preset=other))


def test_auto_takes_the_table_nearest_in_size():
    assert torch.equal(corrupt(IMAGES, "plasma_noise", 3), corrupt(IMAGES, "plasma_noise", 3, preset="imagenet"))
    large = IMAGES.repeat(1, 1, 4, 4)
    assert torch.equal(corrupt(large, "ripple", 3), corrupt(large, "ripple", 3, preset="cifar"))


def test_seeds_of_draws_are_of_the_seed_the_corruption_and_the_severity():
    noise, blur = named("ripple"), named("perlin_noise")
    base = draw_seeds(noise, 3, 0, IMAGES)
    assert torch.equal(base, draw_seeds(noise, 3.0, 0, IMAGES))
    others = [draw_seeds(noise, 4, 0, IMAGES), draw_seeds(noise, 3, 1, IMAGES), draw_seeds(blur, 3, 0, IMAGES)]
    assert all(not bool((base == other).any()) for other in others)


@pytest.mark.parametrize("name", ["contrast", "ripple"])
def test_storage_is_pillow_s_jpeg_of_quality_85(name):
    image_files = pytest.importorskip("PIL.Image")
    plain, stored = corrupt(IMAGES, name, 2), corrupt(IMAGES, name, 2, storage="jpeg85")
    for image, found in zip(plain, stored, strict=True):
        file = io.BytesIO()
        image_files.fromarray(image.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=85, optimize=True)
        wanted = np.asarray(image_files.open(file)).astype(int)
        assert np.abs(found.permute(1, 2, 0).numpy() - wanted).max() <= 1
    assert not torch.equal(plain, stored)


@pytest.mark.parametrize("name", ["contrast", "plasma_noise"])
def test_masks_stay_where_pixels_do(name):
    masks = torch.randint(0, 9, (3, 32, 32))
    images, found = corrupt_with_masks(IMAGES, masks, name, 3, seed=2)
    assert torch.equal(images, corrupt(IMAGES, name, 3, seed=2))
    assert torch.equal(found, masks)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_masks_follow_the_pixels_of_geometric_corruptions(name):
    blocks = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) < 0.5
    masks = blocks.repeat_interleave(10, 2).repeat_interleave(10, 3)[:, 0]
    images = (masks[:, None] * 0.5 + 0.25).expand(-1, 3, -1, -1)
    found, moved = corrupt_with_masks(images, masks, name, 3, seed=2)
    assert torch.equal(found, corrupt(images, name, 3, seed=2))
    assert moved.dtype == torch.bool
    seen = found.mean(1) > 0.5
    inner = slice(6, -6)  # images are black where there is nothing to see, masks are not
    agreement, without = ((seen == other)[:, inner, inner].float().mean() for other in (moved, masks))
    assert agreement > 0.93
    assert agreement > without
    assert torch.equal(
        corrupt_with_masks(images, masks.to(torch.uint8) * 7, name, 3, seed=2)[1], moved.to(torch.uint8) * 7
    )
