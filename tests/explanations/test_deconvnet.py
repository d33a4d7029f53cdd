import torch
from torch.testing import assert_close

from robustlit.explanations import explain
from tests.explanations.networks import Pooled
from tests.explanations.test_guided_backprop import by_hand


def test_it_is_the_backward_pass_by_hand() -> None:
    model, images = Pooled(), torch.rand(2, 3, 9, 8)
    maps = explain(model, images, target=1, methods="deconvnet")
    assert_close(maps["deconvnet"], by_hand(model, images, 1, gate=False))


def test_other_gradients_of_the_same_call_are_not_touched() -> None:
    model, images = Pooled(), torch.rand(2, 3, 9, 8)
    alone = explain(model, images, methods=("saliency", "grad_cam"), layer="act")
    together = explain(model, images, methods=("saliency", "grad_cam", "deconvnet", "guided_backprop"), layer="act")
    assert torch.equal(alone["saliency"], together["saliency"])
    assert torch.equal(alone["grad_cam"], together["grad_cam"])
