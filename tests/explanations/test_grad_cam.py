import torch
from torch.testing import assert_close

from robustlit.explanations import ClassTarget, PixelTarget, RegionTarget, explain
from robustlit.explanations.grad_cam import grad_cam
from tests.explanations.networks import Dense


def test_two_channels_by_hand() -> None:
    activations = torch.tensor([[[[1.0, 2.0]], [[3.0, 1.0]]]])
    gradients = torch.tensor([[[[1.0, 3.0]], [[-2.0, 0.0]]]])  # mean 2 and -1
    assert grad_cam(activations, gradients).tolist() == [[[0.0, 3.0]]]


def test_segmentation_targets_by_the_closed_form() -> None:
    """Logits are W·maps at each pixel: the mean gradient is W times the share of pixels that are scored."""
    model, images = Dense(), torch.rand(2, 3, 6, 8)
    activations = model.features(images).detach()
    weight = model.head.weight.detach()[:, :, 0, 0]
    predicted = model.head(activations).argmax(1)

    def expected(classes: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        return ((activations * weight[classes][:, :, None, None]).sum(1) * share[:, None, None]).relu()

    ones = torch.ones(2, dtype=torch.int64)
    everywhere = explain(model, images, ClassTarget(1), methods="grad_cam", layer="features")
    assert_close(everywhere["grad_cam"], expected(ones, torch.ones(2)))

    region = explain(model, images, methods="grad_cam", layer="features")
    common = torch.stack([p.flatten().bincount(minlength=3).argmax() for p in predicted])
    share = (predicted == common[:, None, None]).float().mean((1, 2))
    assert torch.equal(region.target, common)
    assert_close(region["grad_cam"], expected(common, share))

    truth = torch.zeros(2, 6, 8, dtype=torch.int64)
    truth[:, :2, :3] = 2
    true = explain(model, images, RegionTarget(2, truth), methods="grad_cam", layer="features")
    assert_close(true["grad_cam"], expected(2 * ones, torch.full((2,), 6 / 48)))

    pixel = explain(model, images, PixelTarget([1, 2], 3, 0), methods="grad_cam", layer="features")
    assert_close(pixel["grad_cam"], expected(0 * ones, torch.full((2,), 1 / 48)))
