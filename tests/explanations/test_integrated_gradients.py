import numpy
import pytest
import torch
from torch.testing import assert_close

from robustlit.explanations import IntegratedGradients, explain
from robustlit.explanations.integrated_gradients import gauss_legendre
from tests.explanations.networks import Linear


def test_a_linear_model_gets_weight_times_distance() -> None:
    weight, images = torch.randn(4, 3, 6, 7), torch.rand(2, 3, 6, 7)
    maps = explain(Linear(weight), images, target=1, methods=IntegratedGradients(steps=1, baseline=0.5))
    assert_close(maps["integrated_gradients"], (weight[1] * (images - 0.5)).sum(1))


def test_completeness_on_a_curved_model() -> None:
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.Softplus(), torch.nn.Flatten(), torch.nn.Linear(8 * 36, 4), torch.nn.Tanh()
    )
    images = torch.rand(3, 3, 8, 8)
    maps = explain(model, images, target=2, methods=IntegratedGradients(steps=24))
    rise = model(images)[:, 2] - model(torch.zeros(1, 3, 8, 8))[:, 2]
    assert_close(maps["integrated_gradients"].sum((1, 2)), rise.detach(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_nodes_are_those_of_numpy(steps: int) -> None:
    nodes, weights = numpy.polynomial.legendre.leggauss(steps)
    ours = gauss_legendre(steps)
    assert ours[0] == pytest.approx((nodes + 1) / 2, abs=1e-12)
    assert ours[1] == pytest.approx(weights / 2, abs=1e-12)


def test_no_steps() -> None:
    with pytest.raises(ValueError, match=r"expected 1 or more steps, got 0; try"):
        IntegratedGradients(steps=0)
