"""Foreign images that are made from nothing or from the test images: what no classifier should be sure about."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.random import fold, mix, normal, sample_seeds, uniform

__all__ = ["GENERATED", "generate"]

_GRID = 4  # patches along a side


def generate(name: str, images: Tensor, ids: Tensor, seed: int = 0) -> Tensor:
    """Return one foreign image for every image, of its shape.

    ==================  =============================================================================================
    name                images
    ==================  =============================================================================================
    ``uniform``         every value uniform in [0, 1]
    ``gaussian``        every value normal with mean 0.5 and standard deviation 0.25, cut to [0, 1]
    ``textures``        one of the ten texture families of the shapes data set, in two random colours
    ``patch_shuffle``   the image itself, its 4×4 patches in another order: right in every detail, wrong as a whole
    ==================  =============================================================================================

    Args:
        name: One of ``GENERATED``.
        images: Float N×C×H×W in [0, 1].
        ids: int64 of shape N, the samples' indices; the draws depend on them, the name and the seed.
        seed: Evaluation seed.

    Example:
        >>> images = torch.rand(2, 3, 8, 8)
        >>> shuffled = generate("patch_shuffle", images, torch.arange(2))
        >>> bool(torch.equal(shuffled.sum(), images.sum())) or shuffled.shape == images.shape
        True
    """
    from robustlit.core.names import lookup

    return lookup("generated set", name, GENERATED)(images, sample_seeds(mix(seed, f"ood {name}"), ids))


def _uniform(images: Tensor, seeds: Tensor) -> Tensor:
    return uniform(seeds, images.shape[1:]).to(images.dtype)


def _gaussian(images: Tensor, seeds: Tensor) -> Tensor:
    return (0.5 + 0.25 * normal(seeds, images.shape[1:])).clamp(0, 1).to(images.dtype)


def _textures(images: Tensor, seeds: Tensor) -> Tensor:
    from robustlit.data.shapes.textures import TEXTURES, texture

    _, channels, height, width = images.shape
    side = max(height, width)
    x, y = np.meshgrid(*[(np.arange(side, dtype=np.float32) + 0.5) / side - 0.5] * 2)
    names = tuple(TEXTURES)
    planes = []
    for number in seeds.tolist():
        plane = texture(names[number % len(names)], np.random.Generator(np.random.PCG64(number)), x, y)
        planes.append(torch.from_numpy(np.asarray(plane, dtype=np.float32)[:height, :width]))
    share = torch.stack(planes).to(images)[:, None]
    one, other = uniform(fold(seeds, "colours"), (2, channels, 1, 1)).to(images.dtype).unbind(1)
    return one + (other - one) * share


def _patch_shuffle(images: Tensor, seeds: Tensor) -> Tensor:
    height, width = images.shape[-2] // _GRID * _GRID, images.shape[-1] // _GRID * _GRID
    if not height or not width:
        raise ValueError(
            f"expected images of at least {_GRID} pixels a side, got {tuple(images.shape[-2:])}; try noise"
        )
    size = (height // _GRID, width // _GRID)
    patches = F.unfold(images[..., :height, :width], size, stride=size)
    order = uniform(seeds, (_GRID * _GRID,)).argsort(1)
    moved = patches.gather(2, order[:, None].expand_as(patches))
    shuffled = images.clone()
    shuffled[..., :height, :width] = F.fold(moved, (height, width), size, stride=size)
    return shuffled


GENERATED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "uniform": _uniform,
    "gaussian": _gaussian,
    "textures": _textures,
    "patch_shuffle": _patch_shuffle,
}
