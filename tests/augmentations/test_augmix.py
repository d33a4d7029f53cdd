"""AugMix against a loop over samples, chains and steps, and against what its draws must look like."""

import math

import pytest
import torch

from robustlit.augmentations import AugMix
from robustlit.augmentations.base import part_size
from tests.augmentations.style_cases import pictures, seeds


def by_loops(op, images, params):
    """Sample by sample, chain by chain, step by step."""
    operations, result = op._operations(), []
    width, depth = params.operation.shape[1:]
    for i, image in enumerate(images):
        if not params.chosen[i]:
            result.append(image)
            continue
        mixture = torch.zeros_like(image)
        for chain in range(width):
            changed = image[None]
            for step in range(depth):
                number = int(params.operation[i, chain, step])
                if number >= 0:
                    level, seed = params.level[i, chain, step][None], params.seeds[i, chain, step][None]
                    operation = operations[number]
                    changed = operation.run(changed, operation.settings(level, seed, image.shape[1:]))
            mixture += params.weight[i, chain] * changed[0]
        result.append((1 - params.blend[i]) * image + params.blend[i] * mixture)
    return torch.stack(result)


@pytest.mark.parametrize(("count", "size"), [(9, (24, 33)), (2, (300, 310))])
def test_equals_the_loops(count, size) -> None:
    """Small images run in groups, large ones one by one."""
    assert (part_size(3 * size[0] * size[1]) == 1) == (count == 2)
    op, images = AugMix(p=0.7), pictures(count, size=size)
    params = op.sample(images.shape, seeds(count))
    assert params.chosen.any() and not torch.equal(op.apply(images, params), images)
    assert torch.allclose(op.apply(images, params), by_loops(op, images, params), atol=2e-6)


def test_one_channel_and_no_geometry() -> None:
    op, images = AugMix(severity=10, geometric=False), pictures(5, channels=1)
    params = op.sample(images.shape, seeds(5))
    assert params.operation.max() == 3
    assert torch.allclose(op.apply(images, params), by_loops(op, images, params), atol=2e-6)


def test_draws_have_the_papers_distributions() -> None:
    n = 4000
    params = AugMix(severity=3).sample(torch.Size((n, 3, 8, 8)), seeds(n))
    depth = (params.operation >= 0).sum(-1).flatten()
    assert (torch.bincount(depth, minlength=4)[1:] - n).abs().max() < 5 * math.sqrt(n) and depth.min() == 1
    assert ((params.operation >= 0).diff(dim=-1, prepend=torch.ones(n, 3, 1, dtype=torch.bool)).sum(-1) <= 1).all()
    numbers = torch.bincount(params.operation[params.operation >= 0])
    assert (numbers / numbers.sum() - 1 / 9).abs().max() < 5 * math.sqrt(8 / 81 / numbers.sum())
    assert torch.allclose(params.weight.sum(1), torch.ones(n))
    assert abs(params.weight[:, 0].var() - 1 / 18) < 0.005  # Dirichlet(1, 1, 1)
    assert abs(params.blend.mean() - 0.5) < 5 / math.sqrt(12 * n) and abs(params.blend.var() - 1 / 12) < 0.005
    assert params.level.min() >= -1 and params.level.max() < 1 and len(params.seeds.unique()) == 9 * n


@pytest.mark.parametrize("size", [(32, 32), (300, 310)])
def test_same_for_any_batch(size) -> None:
    count = 7 if size[0] == 32 else 3
    op, images = AugMix(p=0.8), torch.rand(count, 3, *size)
    whole, before = op(images, seeds(count)), images.clone()
    alone = torch.cat([op(images[i : i + 1], seeds(count)[i : i + 1]) for i in range(count)])
    assert torch.equal(alone, whole) and torch.equal(images, before)
    assert whole.min() >= 0 and whole.max() <= 1


def test_class_masks_are_refused_where_images_are_moved() -> None:
    masks, numbers = torch.zeros(4, 8, 8, dtype=torch.int64), torch.arange(4)
    op = AugMix()
    params = op.sample(torch.Size((4, 3, 8, 8)), seeds(4))
    assert op.change_targets(numbers, params, 4) is numbers
    with pytest.raises(ValueError, match=r"expected targets N or N×K for AugMix, got \(4, 8, 8\)"):
        op.change_targets(masks, params, 4)
    assert AugMix(geometric=False).change_targets(masks, params, 4) is masks


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"severity": 11}, r"expected severity in \[0.1, 10\], got 11"),
        ({"width": 0}, "expected width and depth of at least 1, got 0"),
        ({"depth": (0, 3)}, "expected width and depth of at least 1"),
        ({"alpha": 0}, "expected alpha above 0, got 0"),
    ],
)
def test_wrong_settings(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        AugMix(**options)
