import itertools

import pytest
import torch

from robustlit.metrics.confusion import confusion_matrices, mean_iou
from robustlit.metrics.standard_errors import image_products, mean_overlap_error
from robustlit.metrics.worst_case import mean_overlap, worst_overlap


def counts(attacks=2, images=7, classes=3):
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(classes, (images, 6, 6), generator=generator)
    said = torch.randint(classes, (attacks, images, 6, 6), generator=generator)
    said = torch.where(torch.rand(said.shape, generator=generator) < 0.5, masks, said)
    matrices = torch.stack([confusion_matrices(each, masks, classes) for each in said])
    return matrices, matrices.diagonal(dim1=-2, dim2=-1), matrices.sum(-1) + matrices.sum(-2)


def test_mean_overlap_is_mean_iou():
    matrices, hits, sums = counts()
    expected = mean_iou(matrices[0].sum(0)).item()
    assert mean_overlap(hits[0].sum(0), sums[0].sum(0)).item() == pytest.approx(expected, abs=1e-6)


def test_the_worst_case_is_found_among_all_choices():
    _, hits, sums = counts()
    found = worst_overlap(hits, sums)
    places = torch.arange(7)
    every = []
    for choice in itertools.product(range(2), repeat=7):
        chosen = torch.tensor(choice)
        every.append(mean_overlap(hits[chosen, places].sum(0), sums[chosen, places].sum(0)).item())
    assert found.score == pytest.approx(min(every), abs=1e-12)
    single = mean_overlap(hits.sum(1), sums.sum(1))
    assert found.score < single.min()


def test_the_interval_is_that_of_the_delta_method():
    matrices, hits, sums = counts(attacks=1)
    found = worst_overlap(hits, sums)
    error = mean_overlap_error(matrices[0].sum(0), image_products(matrices[0]), 7)
    assert found.high - found.low == pytest.approx(2 * 1.959963984540054 * error, rel=1e-6)


def test_an_ignored_class_does_not_count():
    _, hits, sums = counts()
    without = worst_overlap(hits[..., 1:], sums[..., 1:])
    assert worst_overlap(hits, sums, ignore_index=0).score == pytest.approx(without.score)
