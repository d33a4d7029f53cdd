"""Tensors that are kept: whoever asks first, everybody can use them."""

import pytest
import torch

from robustlit.core.cached import cached_tensors
from robustlit.corruptions.blur.zoom_blur import zoom_blur
from robustlit.corruptions.ops.gaussian import gaussian_blur


def test_each_result_is_built_once_and_the_oldest_is_dropped() -> None:
    built = []

    @cached_tensors(2)
    def ones(length: int) -> torch.Tensor:
        built.append(length)
        return torch.ones(length)

    assert ones(1) is ones(1)
    for length in (2, 3, 1):
        assert ones(length).tolist() == [1.0] * length
    assert built == [1, 2, 3, 1]


@pytest.mark.parametrize(
    "change",
    [lambda images: gaussian_blur(images, 1.37), lambda images: zoom_blur(images, (1.0, 1.13))],
    ids=["gaussian_blur", "zoom_blur"],
)
def test_gradients_flow_after_a_first_use_in_inference_mode(change) -> None:
    images = torch.rand(1, 3, 33, 41)
    with torch.inference_mode():
        first = change(images)
    images.requires_grad_()
    second = change(images)
    second.sum().backward()
    assert torch.equal(first, second.detach())
    assert float(images.grad.abs().sum()) > 0
