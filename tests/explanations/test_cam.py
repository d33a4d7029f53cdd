import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from robustlit.explanations import explain
from tests.explanations.networks import Linear, Pooled


def activations(model: Pooled, images: torch.Tensor) -> torch.Tensor:
    model.eval()
    return model.norm(model.first(images)).relu().detach()


def test_it_is_the_closed_form() -> None:
    model, images = Pooled(), torch.rand(3, 3, 8, 6)
    classes = torch.tensor([0, 3, 1])
    maps = explain(model, images, classes, methods="cam", layer="act")["cam"]
    weights = model.head.weight[classes].detach()
    assert_close(maps, (activations(model, images) * weights[:, :, None, None]).sum(1))


def test_its_mean_is_the_logit_without_bias() -> None:
    model, images = Pooled(), torch.rand(3, 3, 8, 8)
    maps = explain(model, images, 2, methods="cam", layer="act")
    assert_close(maps["cam"].mean((1, 2)), maps.logits[:, 2] - model.head.bias[2].detach())


def test_grad_cam_is_its_positive_part_up_to_scale() -> None:
    model, images = Pooled(), torch.rand(3, 3, 8, 8)
    maps = explain(model, images, 2, methods=("cam", "grad_cam", "hires_cam"), layer="act")
    assert_close(maps["grad_cam"] * 64, maps["cam"].relu())
    assert_close(maps["hires_cam"], maps["grad_cam"])


def test_a_single_logit_has_two_classes() -> None:
    model, images = Pooled(classes=1), torch.rand(2, 3, 8, 8)
    one = explain(model, images, 1, methods="cam", layer="act")["cam"]
    zero = explain(model, images, 0, methods="cam", layer="act")["cam"]
    assert torch.equal(one, -zero)


def test_a_network_that_does_more_behind_the_maps_is_an_error() -> None:
    class Twice(Pooled):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(F.softplus(self.act(self.norm(self.first(images)))).mean((2, 3)))

    with pytest.raises(ValueError, match=r"expected .* averages the layer's maps .*; try 'grad_cam'"):
        explain(Twice(), torch.rand(1, 3, 8, 8), methods="cam", layer="act")


def test_a_callable_has_no_layers() -> None:
    model = Linear(torch.randn(2, 3, 4, 4))
    with pytest.raises(ValueError, match=r"expected an nn\.Module for maps of a layer"):
        explain(lambda images: model(images), torch.rand(1, 3, 4, 4), methods="cam")
