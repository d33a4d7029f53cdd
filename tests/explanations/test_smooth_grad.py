import pytest
import torch
from torch.testing import assert_close

from robustlit.explanations import SmoothGrad, explain
from tests.explanations.networks import Linear, Pooled


def test_a_linear_model_needs_no_smoothing() -> None:
    weight = torch.randn(4, 3, 6, 7)
    maps = explain(Linear(weight), torch.rand(2, 3, 6, 7), target=1, methods=(SmoothGrad(samples=3), "saliency"))
    assert_close(maps["smooth_grad"], maps["saliency"])


def test_without_noise_it_is_saliency() -> None:
    maps = explain(Pooled(), torch.rand(2, 3, 8, 8), methods=(SmoothGrad(samples=2, noise=0.0), "saliency"))
    assert_close(maps["smooth_grad"], maps["saliency"])


def test_the_slope_of_a_square_is_averaged_around_the_pixel() -> None:
    """The gradient of x² is 2x; its mean over noise of spread s is 2x up to s·2/√samples."""

    def square(images: torch.Tensor) -> torch.Tensor:
        return (images**2).sum((2, 3))[:, :1].expand(-1, 2).clone()

    image = torch.full((1, 1, 10, 10), 0.5)
    image[0, 0, 0, 0] = 0.0
    image[0, 0, 0, 1] = 1.0
    maps = explain(square, image, target=1, methods=SmoothGrad(samples=400, noise=0.2))["smooth_grad"]
    errors = (maps[0] - 2 * image[0, 0]).abs()
    assert 0.005 < errors.mean() < 0.03  # 2·0.2/√400 · √(2/π) = 0.016


def test_the_seed_decides() -> None:
    model, images = Pooled(), torch.rand(2, 3, 8, 8)
    one, again, other = (
        explain(model, images, methods=SmoothGrad(samples=2, seed=seed))["smooth_grad"] for seed in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("options", [{"samples": 0}, {"noise": -0.1}])
def test_options_out_of_range(options: dict) -> None:
    with pytest.raises(ValueError, match=r"expected .* got .*; try"):
        SmoothGrad(**options)
