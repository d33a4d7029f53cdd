"""Standard errors against resampling and against the defining sums over pairs."""

import math

import numpy as np
import pytest
import torch

from robustlit.metrics import bootstrap_mean_iou
from robustlit.metrics.auroc import score_counts
from robustlit.metrics.standard_errors import auroc_error, image_products, mean_overlap_error, normal_interval


def delong(scores, truth):
    """Standard error of one area from all pairs, as DeLong et al. 1988 define it."""
    wins = np.array([[(p > n) + 0.5 * (p == n) for n in scores[truth == 0]] for p in scores[truth == 1]])
    of_trues, of_falses = wins.mean(1), wins.mean(0)
    return math.sqrt(of_trues.var(ddof=1) / len(of_trues) + of_falses.var(ddof=1) / len(of_falses))


def test_auroc_error_equals_the_sum_over_pairs():
    generator = torch.Generator().manual_seed(1)
    targets = torch.randint(2, (150, 3), generator=generator)
    logits = torch.randn(150, 3, generator=generator) + targets
    counts, _ = score_counts(logits.sigmoid(), targets, bins=4000)
    expected = [delong(logits[:, label].numpy(), targets[:, label].numpy()) for label in range(3)]
    assert auroc_error(counts).tolist() == pytest.approx(expected, rel=0.01)


def test_auroc_error_of_ties_equals_the_sum_over_pairs():
    targets, scores = torch.tensor([[1], [1], [1], [0], [0], [0]]), torch.tensor([0.9, 0.5, 0.1, 0.5, 0.1, 0.1])
    counts, _ = score_counts(scores[:, None], targets)
    assert auroc_error(counts).item() == pytest.approx(delong(scores.numpy(), targets[:, 0].numpy()))


def confusions(images=300, classes=3):
    generator = torch.Generator().manual_seed(2)
    return torch.randint(0, 40, (images, classes, classes), generator=generator) + 30 * torch.eye(classes).long()


def test_overlap_error_is_that_of_the_bootstrap():
    each = confusions()
    error = mean_overlap_error(each.sum(0), image_products(each), len(each))
    low, high = bootstrap_mean_iou(each, resamples=4000)
    assert 2 * 1.959964 * error == pytest.approx(high - low, rel=0.08)


@pytest.mark.parametrize("ignore_index", [None, 1])
@pytest.mark.parametrize("dice", [False, True])
def test_overlap_error_equals_the_jackknife(dice, ignore_index):
    each = confusions(images=60)
    counted = [0, 1, 2] if ignore_index is None else [0, 2]

    def score(counts):
        hits, both = counts.diagonal()[counted], (counts.sum(0) + counts.sum(1))[counted]
        return ((2 * hits / both) if dice else hits / (both - hits)).mean().item()

    total = each.sum(0).double()
    left_out = np.array([score(total - one) for one in each.double()])
    expected = math.sqrt(59 / 60 * ((left_out - left_out.mean()) ** 2).sum())
    found = mean_overlap_error(each.sum(0), image_products(each), 60, ignore_index, dice=dice)
    assert found == pytest.approx(expected, rel=0.03)


def test_absent_classes_have_no_part():
    each = confusions(images=40)
    wider = torch.nn.functional.pad(each, (0, 1, 0, 1))
    expected = mean_overlap_error(each.sum(0), image_products(each), 40)
    assert mean_overlap_error(wider.sum(0), image_products(wider), 40) == pytest.approx(expected)


def test_equal_images_leave_nothing_to_chance_and_one_image_everything():
    each = confusions(images=1).repeat(5, 1, 1)
    assert mean_overlap_error(each.sum(0), image_products(each), 5) == pytest.approx(0, abs=1e-6)
    assert normal_interval(0.4, mean_overlap_error(each[0], image_products(each[:1]), 1)) == (0.0, 1.0)


def test_interval_is_cut_at_0_and_1():
    assert normal_interval(0.5, 0.1) == pytest.approx((0.5 - 0.1959964, 0.5 + 0.1959964))
    assert normal_interval(0.99, 0.1)[1] == 1.0
    assert normal_interval(0.01, 0.1)[0] == 0.0
