import torch
from torch.testing import assert_close

from robustlit.explanations import explain
from tests.explanations.networks import Linear


def test_a_linear_models_shares_add_up_to_its_logit() -> None:
    weight, images = torch.randn(4, 3, 6, 7), torch.rand(2, 3, 6, 7)
    maps = explain(Linear(weight), images, target=2, methods="gradient_x_input")
    assert_close(maps["gradient_x_input"], (weight[2] * images).sum(1))
    assert_close(maps["gradient_x_input"].sum((1, 2)), maps.logits[:, 2])
