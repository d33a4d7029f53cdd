import pytest
import torch
from torch import nn
from torch.testing import assert_close

from robustlit.explanations import explain
from tests.explanations.networks import Linear, Pooled


def by_hand(model: Pooled, images: torch.Tensor, target: int, *, gate: bool) -> torch.Tensor:
    """Backward by hand: the head's weights spread over the map, cut at the ReLU, back through BN and convolution."""
    model.eval()
    before = model.norm(model.first(images))
    arriving = (model.head.weight[target] / before[0, 0].numel())[None, :, None, None].expand_as(before)
    passed = arriving.clamp(min=0) * ((before > 0) if gate else 1)
    scale = model.norm.weight / (model.norm.running_var + model.norm.eps).sqrt()
    back = nn.functional.conv_transpose2d(passed * scale[:, None, None], model.first.weight, padding=1)
    return back.abs().amax(1).detach()


@pytest.mark.parametrize(("inplace", "functional"), [(True, False), (False, False), (False, True)])
def test_it_is_the_backward_pass_by_hand(inplace: bool, functional: bool) -> None:
    model, images = Pooled(inplace=inplace, functional=functional), torch.rand(2, 3, 9, 8)
    maps = explain(model, images, target=1, methods=("guided_backprop", "saliency"))
    assert_close(maps["guided_backprop"], by_hand(model, images, 1, gate=True))
    assert not torch.allclose(maps["guided_backprop"], maps["saliency"])


def test_a_network_without_relus_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"expected a network with ReLUs .*, got none .*; try 'saliency'"):
        explain(Linear(torch.randn(2, 3, 4, 4)), torch.rand(1, 3, 4, 4), methods="guided_backprop")
