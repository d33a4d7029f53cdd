"""MixUp against its two formulas."""

import math

import pytest
import torch

from robustlit.augmentations import MixUp
from robustlit.augmentations.mixing import mix_labels, partners
from tests.augmentations.style_cases import pictures, seeds


def test_images_and_labels_are_mixed_alike() -> None:
    op, images, targets = MixUp(alpha=1.0, p=0.7), pictures(8), torch.arange(8) % 3
    params = op.sample(images.shape, seeds(8))
    result, soft = op.apply(images, params), op.change_targets(targets, params, 3)
    many = op.change_targets(torch.eye(8)[:, :5], params, 5)
    for i in range(8):
        weight, other = float(params.weight[i]), int(params.partner[i])
        assert other != i and (weight == 1) == (not params.chosen[i])
        expected = weight * images[i] + (1 - weight) * images[other]
        assert torch.allclose(result[i], expected, atol=1e-6)
        label = weight * torch.eye(3)[targets[i]] + (1 - weight) * torch.eye(3)[targets[other]]
        assert torch.allclose(soft[i], label, atol=1e-6)
        assert torch.allclose(many[i], weight * torch.eye(8)[i, :5] + (1 - weight) * torch.eye(8)[other, :5], atol=1e-6)
    assert torch.equal(result[~params.chosen], images[~params.chosen])


def test_weights_are_beta() -> None:
    weight = MixUp(alpha=0.2).sample(torch.Size((20_000, 1, 2, 2)), seeds(20_000)).weight
    assert abs(weight.mean() - 0.5) < 5 * math.sqrt(0.25 / 1.4 / 20_000)
    assert abs(weight.var() - 0.25 / 1.4) < 0.003


def test_partners_are_uniform_over_the_others() -> None:
    found = torch.stack([partners(torch.rand(5)) for _ in range(4000)])
    counts = torch.stack([torch.bincount(found[:, i], minlength=5) for i in range(5)])
    assert (counts.diagonal() == 0).all()
    assert (counts[~torch.eye(5, dtype=torch.bool)] - 1000).abs().max() < 5 * math.sqrt(750)
    assert partners(torch.rand(1, 3)).tolist() == [[0, 0, 0]]


def test_class_masks_cannot_be_mixed() -> None:
    params = MixUp().sample(torch.Size((2, 3, 4, 4)), seeds(2))
    with pytest.raises(ValueError, match=r"got \(2, 4, 4\); class masks cannot be mixed, try CutMix"):
        MixUp().change_targets(torch.zeros(2, 4, 4, dtype=torch.int64), params, 3)
    assert torch.equal(mix_labels(torch.tensor([1]), torch.tensor([0]), torch.ones(1), 2), torch.tensor([[0.0, 1]]))


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="expected alpha above 0, got 0"):
        MixUp(alpha=0)
