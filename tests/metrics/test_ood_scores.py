"""Scores of familiarity: their formulas, and what one logit, labels and maps mean."""

import torch

from robustlit.metrics.ood_scores import OOD_SCORES, ood_scores


def test_scores_are_those_of_their_papers():
    logits = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    found = ood_scores(logits, "classification")
    assert list(OOD_SCORES) == ["msp", "max_logit", "energy"]
    assert torch.allclose(found[:, 0].sigmoid(), logits.softmax(1).amax(1), atol=1e-6)
    assert torch.equal(found[:, 1], logits.amax(1))
    assert torch.allclose(found[:, 2], logits.exp().sum(1).log(), atol=1e-6)


def test_large_logits_do_not_tie():
    found = ood_scores(torch.tensor([[60.0, 0.0], [70.0, 0.0]]), "classification")
    assert found[0, 0] < found[1, 0]


def test_labels_have_sigmoids():
    logits = torch.tensor([[1.0, -2.0]])
    found = ood_scores(logits, "multilabel")[0]
    assert torch.allclose(found, torch.stack((logits[0, 0], logits[0, 0], (1 + logits.exp()).log().sum())))


def test_one_logit_is_two_classes_and_a_map_is_the_mean_of_its_pixels():
    z = torch.randn(3, 1, generator=torch.Generator().manual_seed(0))
    two = torch.cat((torch.zeros_like(z), z), 1)
    assert torch.equal(ood_scores(z, "classification"), ood_scores(two, "classification"))
    maps = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    pixels = maps.permute(0, 2, 3, 1).reshape(-1, 4)
    expected = ood_scores(pixels, "classification").view(2, 9, 3).mean(1)
    assert torch.allclose(ood_scores(maps, "segmentation"), expected, atol=1e-6)
