"""``corrupt``: any corruption on any batch, the same pixels for the same seeds."""

from collections.abc import Callable
from operator import index
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from robustlit.core.pixels import check_pixels, exact_arithmetic
from robustlit.core.random import fold, sample_seeds
from robustlit.corruptions.base import Corruption, Level
from robustlit.corruptions.custom import CustomCorruption
from robustlit.corruptions.pixels import chunks, put, to_unit, truncate
from robustlit.corruptions.presets import choose_preset
from robustlit.corruptions.registry import named
from robustlit.corruptions.severity import Severity, severity_key

__all__ = ["AnyCorruption", "Storage", "corrupt", "corrupt_with_masks", "resolve"]

Storage: TypeAlias = Literal["jpeg85"] | None
AnyCorruption: TypeAlias = "str | Corruption | Callable[[Tensor, Severity, Tensor], Tensor]"
SMALLEST = 16  # pixels of the shorter side
_RESERVED = ("clean", "mean", "extra_calibration_error")  # and what ends in "_mean": keys of figures beside the names'


def corrupt(
    images: Tensor,
    corruption: AnyCorruption,
    severity: Severity,
    *,
    preset: str = "auto",
    seed: int | Tensor = 0,
    quantize: bool = True,
    storage: Storage = None,
    check: bool = True,
) -> Tensor:
    """Corrupt a batch as ImageNet-C and its relatives do (Hendrycks and Dietterich 2019; Mintun et al. 2021).

    Draws depend on the seed, the corruption, the severity and the sample only, so they are the same for any batch
    size, order, process count and device.

    Args:
        images: N×C×H×W, uint8, or float in [0, 1] which is taken as multiples of 1/255; C is 1 or 3, H and W ≥ 16.
        corruption: A name, a ``Corruption``, or a function ``(images, severity, seeds) -> images`` on float32.
        severity: 1 to 5; numbers between them where the corruption is continuous.
        preset: The published table: "imagenet", "tiny", "cifar", or "auto" by the shorter side (see ``choose_preset``).
        seed: An int, spread over the samples by their position, or int64 seeds of shape N.
        quantize: Whether float images come back truncated to 8 bits, as the published sets are.
        storage: "jpeg85" adds the JPEG file of quality 85 in which ImageNet-C is stored.
        check: Whether to look for values outside of [0, 1], for which a GPU is waited for.

    Returns:
        A new tensor of the same shape, dtype and device.

    Raises:
        TypeError: For images that are no uint8 or float tensor, or a seed that is no integer.
        ValueError: For an unknown name or preset, a severity that means nothing, or images of another shape or range.

    Example:
        >>> images = torch.full((2, 3, 32, 32), 0.5)
        >>> corrupt(images, "gaussian_noise", 3).shape
        torch.Size([2, 3, 32, 32])
    """
    check_images(images, values=check)
    check_storage(storage)
    found = resolve(corruption)
    level = _level(found, preset, severity, images)
    seeds = draw_seeds(found, severity, seed, images)
    corrupted = torch.empty_like(images)
    with exact_arithmetic(images.device), torch.no_grad():
        for part in chunks(images):
            changed = _changed(found, to_unit(images[part], quantize), level, seeds[part], storage)
            put(changed, corrupted[part], quantize)
    return corrupted


def corrupt_with_masks(
    images: Tensor,
    masks: Tensor,
    corruption: AnyCorruption,
    severity: Severity,
    *,
    preset: str = "auto",
    seed: int | Tensor = 0,
    quantize: bool = True,
    storage: Storage = None,
    check: bool = True,
) -> tuple[Tensor, Tensor]:
    """Corrupt images and move their masks with the pixels; the published benchmarks leave masks where they were.

    Args:
        images: As for ``corrupt``.
        masks: N×H×W of any dtype; changed, by nearest neighbour, by the corruptions that are ``geometric`` only.
        corruption: As for ``corrupt``.
        severity: As for ``corrupt``.
        preset: As for ``corrupt``.
        seed: As for ``corrupt``.
        quantize: As for ``corrupt``.
        storage: As for ``corrupt``.
        check: As for ``corrupt``.

    Returns:
        The images, the same as those of ``corrupt``, and the masks.
    """
    found = resolve(corruption)
    changed = corrupt(
        images, found, severity, preset=preset, seed=seed, quantize=quantize, storage=storage, check=check
    )  # draws are a function of the seeds, so drawing them again below gives the same ones
    if not found.geometric:
        return changed, masks
    level = _level(found, preset, severity, images)
    seeds = draw_seeds(found, severity, seed, images)
    moved = torch.empty_like(masks)
    with exact_arithmetic(images.device), torch.no_grad():
        for part in chunks(images):
            draws = found.sample(found.shape_of_draws(images[part].shape), seeds[part], level)
            moved[part] = found.warp(masks[part], draws, level)
    return changed, moved


def resolve(corruption: AnyCorruption) -> Corruption:
    """Return the corruption of a name, or the user's own.

    Raises:
        ValueError: For an unknown name; the message has the nearest. For an own one whose name is that of a figure.
        TypeError: For anything that is neither a name, a corruption nor a function.
    """
    if isinstance(corruption, str):
        return named(corruption)
    if not isinstance(corruption, Corruption) and callable(corruption) and not isinstance(corruption, type):
        corruption = CustomCorruption(corruption)
    if not isinstance(corruption, Corruption):
        raise TypeError(f"expected a corruption as a name, a Corruption or a function, got {corruption!r}; try 'fog'")
    if corruption.label in _RESERVED or corruption.label.endswith("_mean"):
        raise ValueError(f"expected another name than that of a figure, got {corruption.label!r}; try 'my_corruption'")
    return corruption


def draw_seeds(corruption: Corruption, severity: Severity, seed: int | Tensor, images: Tensor) -> Tensor:
    """Return the seeds of the draws, int64 of shape N: of the seed, the corruption and the severity."""
    return fold(_one_a_sample(seed, images), corruption.name, severity_key(severity))


def check_storage(storage: str | None) -> None:
    """Raise unless there is such a storage."""
    if storage not in ("jpeg85", None):
        raise ValueError(f"expected storage 'jpeg85' or None, got {storage!r}; try storage=None")


def check_images(images: Tensor, *, values: bool = True) -> None:
    """Raise unless images are uint8 or float in [0, 1], N×C×H×W with one or three channels and 16 pixels a side.

    Args:
        images: What ought to be images.
        values: Whether to look at the values, for which a GPU is waited for.

    Raises:
        TypeError: For anything but a tensor, or another dtype.
        ValueError: For another shape or range.
    """
    if not isinstance(images, Tensor):
        raise TypeError(f"expected images as a tensor, got {type(images).__name__}; try torch.as_tensor(images)")
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"expected images of shape N×C×H×W with C 1 or 3, got {tuple(images.shape)}; try images.permute(0, 3, 1, 2)"
        )
    if min(images.shape[-2:]) < SMALLEST:
        raise ValueError(
            f"expected images of at least 16×16 pixels, got {images.shape[-2]}×{images.shape[-1]}; try resizing"
        )
    if images.dtype != torch.uint8:
        check_pixels(images, values=values)


def _level(corruption: Corruption, preset: str, severity: Severity, images: Tensor) -> Level:
    return corruption.level(choose_preset(preset, images.shape[-2], images.shape[-1], corruption.presets()), severity)


def _one_a_sample(seed: int | Tensor, images: Tensor) -> Tensor:
    """Return int64 seeds of shape N on the images' device."""
    if not isinstance(seed, Tensor):
        try:
            return sample_seeds(index(seed), torch.arange(images.shape[0], device=images.device))
        except TypeError:
            message = f"expected seed as an int or an int64 tensor of shape N, got {type(seed).__name__}; try seed=0"
            raise TypeError(message) from None
    if seed.is_floating_point() or seed.is_complex() or seed.dtype == torch.bool:
        raise TypeError(f"expected seeds as an int64 tensor of shape N, got {seed.dtype}; try seed.long()")
    if seed.shape != images.shape[:1]:
        raise ValueError(
            f"expected one seed for each of {images.shape[0]} images, got shape {tuple(seed.shape)}; try seed=0"
        )
    return seed.to(images.device, torch.int64)


def _changed(corruption: Corruption, images: Tensor, level: Level, seeds: Tensor, storage: Storage) -> Tensor:
    draws = corruption.sample(corruption.shape_of_draws(images.shape), seeds, level)
    changed = corruption.unclipped(images, draws, level)
    return changed if storage is None else _stored(changed)


def _stored(images: Tensor) -> Tensor:
    from robustlit.corruptions.digital.jpeg_compression import jpeg_compression

    return jpeg_compression(truncate(images), 85)
