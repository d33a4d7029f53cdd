"""What the picture of attacked images says."""

from types import SimpleNamespace

import torch

from robustlit.attacks import PGD
from robustlit.callbacks.adversarial_pictures import add_attacked_images
from robustlit.core import Adapter
from robustlit.evaluation.attacked.attack_tally import Attacked


def test_one_logit_says_which_of_two_classes_and_how_surely(monkeypatch):
    drawn = []
    monkeypatch.setattr("robustlit.callbacks.adversarial_pictures.adversarial_panel", lambda *told: drawn.append(told))
    monkeypatch.setattr("robustlit.callbacks.adversarial_pictures.add_picture", lambda *_: None)
    images, targets = torch.rand(2, 3, 8, 8), torch.tensor([1, 1])
    clean, attacked = (Attacked(images, torch.tensor(logits)) for logits in ([[2.0], [3.0]], [[2.0], [-1.0]]))
    trainer, module = SimpleNamespace(current_epoch=0, datamodule=None), torch.nn.Identity()
    module.class_names = ("cat", "dog")
    add_attacked_images(trainer, module, Adapter(), targets, clean, attacked, PGD())
    ((_, _, truth, before, after, *_),) = drawn
    assert truth == ["dog", "dog"]
    assert [(each.words, each.right) for each in before] == [("dog", True)] * 2
    assert [(each.words, each.right) for each in after] == [("dog", True), ("cat", False)]
    assert torch.tensor([each.confidence for each in after]).allclose(torch.tensor([2.0, 1.0]).sigmoid())
