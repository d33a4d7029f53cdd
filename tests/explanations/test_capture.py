from collections import namedtuple
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.explanations.capture import Capture, first_tensor


def test_what_an_in_place_operation_overwrites_is_kept() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True))
    images = torch.randn(2, 1, 6, 6)
    with torch.no_grad():
        expected = model[0](images).clone()
        with Capture({"conv": model[0]}) as kept:
            result = model(images)
    assert expected.min() < 0
    assert torch.equal(kept["conv"], expected)
    assert torch.equal(result, expected.relu())


def test_the_graph_starts_at_the_layer_where_nothing_before_needs_one() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten()).requires_grad_(False)
    with Capture({"0": model[0]}) as kept:
        result = model(torch.randn(1, 1, 5, 5))
    assert kept["0"].is_leaf
    (slope,) = torch.autograd.grad(result.sum(), kept["0"])
    assert torch.equal(slope, (kept["0"] > 0).float())


def test_hooks_go_after_an_exception() -> None:
    layer = nn.ReLU()
    with pytest.raises(RuntimeError), Capture({"0": layer}):
        raise RuntimeError
    assert not layer._forward_hooks


def test_a_layer_that_was_not_called() -> None:
    with Capture({"spare": nn.ReLU()}) as kept:
        pass
    with pytest.raises(ValueError, match=r"expected a layer that the forward pass calls .*, got 'spare'; try"):
        kept["spare"]


Pair = namedtuple("Pair", "mask maps")


@pytest.mark.parametrize(
    "output",
    [
        torch.zeros(2),
        (None, torch.zeros(2), 3),
        [torch.zeros(2)],
        {"size": 3, "out": torch.zeros(2)},
        Pair(None, torch.zeros(2)),
    ],
)
def test_the_first_tensor_is_found_and_replaced_in_a_copy(output: Any) -> None:
    tensor, replace = first_tensor(output)
    new = replace(tensor + 1)
    assert type(new) is type(output)
    assert first_tensor(new)[0].tolist() == [1, 1]
    assert first_tensor(output)[0].tolist() == [0, 0]


def test_no_tensor_at_all() -> None:
    assert first_tensor((1, None)) is None
    assert first_tensor(None) is None


def test_a_layer_that_returns_a_tuple() -> None:
    class Attention(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, None]:
            return F.relu(x), None

    layer = Attention()
    with Capture({"a": layer}) as kept:
        layer(torch.ones(3))
    assert kept["a"].tolist() == [1, 1, 1]
