import pytest
import torch

from robustlit.core import Adapter
from robustlit.evaluation.passes.answer_words import answer_words
from robustlit.evaluation.passes.mistakes import Worst, flipped, mistakes


def test_labels_are_as_wrong_as_the_most_confident_wrong_one():
    logits = torch.tensor([[3.0, -1.0], [3.0, 1.0]])
    found = mistakes(Adapter(), logits, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    assert torch.allclose(found, torch.tensor([0.0, torch.tensor(3.0).sigmoid()]))


def test_one_logit_stands_for_two_classes_and_ignored_targets_are_no_mistakes():
    logits, targets = torch.tensor([[2.0], [2.0], [-1.0], [2.0]]), torch.tensor([1, 0, 1, -100])
    expected = torch.tensor([0.0, 2.0, 1.0, 0.0]).sigmoid() * torch.tensor([0.0, 1.0, 1.0, 0.0])
    assert torch.allclose(mistakes(Adapter(), logits, targets), expected)
    assert answer_words(Adapter(), logits[:3], targets[:3], ["cat", "dog"])[1] == ["dog", "dog", "cat"]


def test_masks_are_as_wrong_as_their_pixels_that_count():
    logits = torch.zeros(1, 2, 1, 4)
    logits[0, 1] = torch.tensor([5.0, 5.0, 5.0, 5.0])
    targets = torch.tensor([[[1, 0, 0, 7]]])
    found = mistakes(Adapter(ignore_index=7), logits, targets)
    assert torch.allclose(found, 2 / 3 * torch.tensor([5.0]).sigmoid())
    binary = mistakes(Adapter(), logits[:, 1:], torch.tensor([[[[1.0, 0.0, 1.0, 1.0]]]]))
    assert torch.allclose(binary, 1 / 4 * torch.tensor([5.0]).sigmoid())


def test_only_what_was_right_can_flip():
    clean, changed = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]]), torch.tensor([[0.0, 2.0]]).expand(3, 2)
    found = flipped(Adapter(), clean, changed, torch.tensor([0, 0, 1]))
    assert (found > 0).tolist() == [True, False, False]


def test_nan_logits_are_no_mistakes():
    assert mistakes(Adapter(), torch.full((2, 3), float("nan")), torch.zeros(2).long()).tolist() == [0, 0]


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_the_highest_scores_are_kept_in_order(batch):
    scores = torch.rand(100)
    worst = Worst(5)
    for start in range(0, 100, batch):
        part = torch.arange(start, min(100, start + batch))
        worst.add(scores[part], {"ids": part, "images": part[:, None].float()})
    found = worst.found()
    assert found["ids"].tolist() == scores.argsort(descending=True)[:5].tolist()
    assert torch.equal(found["images"][:, 0].long(), found["ids"])


def test_zero_scores_are_left_out_and_processes_merge_without_repeats():
    worst = Worst(5)
    worst.add(torch.tensor([0.0, 0.5]), {"ids": torch.tensor([1, 2])})
    found = worst.found()
    assert found["ids"].tolist() == [2]
    other = {"score": torch.tensor([0.9, 0.5]), "ids": torch.tensor([3, 2])}
    assert Worst.merged([found, {}, other], 5)["ids"].tolist() == [3, 2]
    assert Worst.merged([{}], 5) == {}


def test_images_of_two_sizes_are_one_line():
    worst = Worst(3)
    worst.add(torch.rand(2), {"images": torch.rand(2, 3, 8, 8)})
    with pytest.raises(ValueError, match="expected images of one size"):
        worst.add(torch.rand(2), {"images": torch.rand(2, 3, 9, 8)})
