import io

import numpy as np
import pytest
import torch
from torch import Tensor

from robustlit.core.random import sample_seeds, uniform
from robustlit.corruptions import Corruption, CustomCorruption, Draws, corrupt, corrupt_with_masks, resolve
from robustlit.corruptions.corrupt import draw_seeds
from robustlit.corruptions.pixels import chunks
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": IMAGES.int()}, "float images"),
        ({"images": [1]}, "expected images as a tensor, got list"),
        ({"images": IMAGES.numpy()}, "got ndarray; try torch.as_tensor"),
        ({"seed": [1, 2, 3]}, "expected seed as an int or an int64 tensor of shape N, got list"),
        ({"seed": 0.5}, "got float"),
        ({"seed": None}, "got NoneType"),
        ({"seed": torch.zeros(3)}, "got torch.float32; try seed.long"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_what_is_of_the_wrong_type_is_a_type_error_of_one_line(changes, message, check):
    given = {"images": IMAGES, "corruption": "gaussian_noise", "severity": 3, "check": check, **changes}
    with pytest.raises(TypeError, match=message) as error:
        corrupt(given.pop("images"), given.pop("corruption"), given.pop("severity"), **given)
    assert "\n" not in str(error.value)


def test_whole_numbers_of_any_kind_are_seeds():
    wanted = corrupt(IMAGES, "ripple", 3, seed=7)
    assert torch.equal(wanted, corrupt(IMAGES, "ripple", 3, seed=np.int64(7)))
    seeds = torch.tensor([5, 6, 7])
    wanted = corrupt(IMAGES, "ripple", 3, seed=seeds)
    assert torch.equal(wanted, corrupt(IMAGES, "ripple", 3, seed=seeds.int()))


def test_values_are_looked_at_unless_the_caller_has():
    beyond = IMAGES / 255 + 0.01
    with pytest.raises(ValueError, match="expected images in"):
        corrupt(beyond, "contrast", 3)
    assert corrupt(beyond, "contrast", 3, check=False).max() <= 1
    corrupt_with_masks(beyond, torch.zeros(3, 32, 32), "elastic_transform", 3, check=False)


def test_no_images_are_no_work_on_any_device():
    assert corrupt(IMAGES[:0], "fog", 3).shape == (0, 3, 32, 32)
    assert list(chunks(torch.empty(0, 3, 32, 32, device="meta"))) == []


def test_a_function_goes_wherever_a_name_goes():
    def speckles(images: Tensor, severity: float, seeds: Tensor) -> Tensor:
        return images + severity / 10 * uniform(seeds, images.shape[1:])

    found = corrupt(IMAGES, speckles, 2.5, seed=4)
    assert found.dtype == torch.uint8
    assert torch.equal(found[2:], corrupt(IMAGES[2:], speckles, 2.5, seed=sample_seeds(4, torch.arange(3))[2:]))
    assert not torch.equal(found, corrupt(IMAGES, speckles, 2.5, seed=5))
    assert not torch.equal(found, corrupt(IMAGES, CustomCorruption(speckles, name="other"), 2.5, seed=4))
    assert resolve(speckles).name == "speckles"


@pytest.mark.parametrize("quantize", [True, False])
def test_a_function_that_works_in_place_leaves_the_caller_s_images_alone(quantize):
    images = IMAGES / 255
    before = images.clone()
    found = corrupt(images, lambda images, severity, seeds: images.mul_(0.5), 3, quantize=quantize)
    assert torch.equal(images, before)
    assert (found - before / 2).abs().max() <= 1 / 255
    corrupt(images, DimmerInPlace(), 3, quantize=quantize)
    assert torch.equal(images, before)


@pytest.mark.parametrize(
    ("convert", "found"),
    [
        (lambda images: (images * 255).byte(), "torch.uint8"),
        (lambda images: images.double(), "torch.float64"),
        (lambda images: images.numpy(), "ndarray"),
        (lambda images: None, "NoneType"),
    ],
)
def test_a_function_that_returns_no_float32_tensor_is_an_error(convert, found):
    with pytest.raises(TypeError, match=f"expected odd to return a float32 tensor in .*, got {found}; try") as error:
        corrupt(IMAGES, CustomCorruption(lambda images, severity, seeds: convert(images), name="odd"), 3)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["clean", "mean", "extra_mean", "noise_mean", "extra_calibration_error"])
def test_names_of_figures_are_not_free(name):
    with pytest.raises(ValueError, match=f"expected another name than that of a figure, got '{name}'; try"):
        resolve(CustomCorruption(lambda images, severity, seeds: images, name=name))


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


class DimmerInPlace(Dimmer):
    def change(self, images, draws, level):
        return images.mul_(level[0])


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


def test_masks_are_moved_in_exact_arithmetic_and_outside_of_autograd():
    seen = []

    class Watched(Dimmer):
        geometric = True

        def warp(self, masks, draws, level):
            seen.append((torch.is_autocast_enabled("cpu"), torch.is_grad_enabled()))
            return masks

    with torch.autocast("cpu"):
        corrupt_with_masks(IMAGES, torch.zeros(3, 32, 32), Watched(), 3)
    assert seen
    assert set(seen) == {(False, False)}
