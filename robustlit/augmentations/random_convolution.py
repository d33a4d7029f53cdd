"""Style by a random convolution: new colours and local texture, the same shapes."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.augmentations.regions import integers
from robustlit.augmentations.style import Span, StyleOp
from robustlit.core.cached import cached_tensors
from robustlit.core.random import fold, normal, uniform

__all__ = ["RandomConvolution", "convolve_each", "random_convolution"]

_GREY = 0.5  # what weights of mean 0 turn around, and what is beyond the border


def random_convolution(images: Tensor, weights: Tensor) -> Tensor:
    """Convolve every image with its own weights, about mid-grey.

    Args:
        images: Float32 N×C×H×W.
        weights: Float32 N×C×C×K×K, K odd.

    Returns:
        Float32 N×C×H×W, not clipped.
    """
    return convolve_each(images - _GREY, weights).add_(_GREY)


def convolve_each(images: Tensor, weights: Tensor) -> Tensor:
    """Convolve every image with its own weights, with zeros beyond the border.

    On CPU one by one, without the zeros around smaller kernels, which is quicker there and gives the same for any
    batch; elsewhere as one grouped convolution.

    Args:
        images: Float32 N×C×H×W.
        weights: Float32 N×C×C×K×K, K odd.

    Returns:
        Float32 N×C×H×W.
    """
    count, channels, height, width = images.shape
    largest = weights.shape[-1]
    if images.device.type != "cpu":
        flat = images.reshape(1, count * channels, height, width)
        kernels = weights.reshape(count * channels, channels, largest, largest)
        return F.conv2d(flat, kernels, padding=largest // 2, groups=count).view(images.shape)
    result = torch.empty_like(images)
    for image, kernel, target in zip(images, weights, result, strict=True):
        edge = _border_of_zeros(kernel)
        middle = kernel[..., edge : largest - edge, edge : largest - edge]
        target.copy_(F.conv2d(image[None], middle, padding=largest // 2 - edge)[0])
    return result


def _border_of_zeros(kernel: Tensor) -> int:
    """Return how wide the frame of zeros is around a kernel C×C×K×K, leaving one tap at least."""
    taps = kernel.abs().amax((0, 1, 2)).tolist()
    half = len(taps) // 2
    return next((edge for edge in range(half) if taps[edge] or taps[-1 - edge]), half)


class RandomConvolution(StyleOp):
    """A random linear filter over all channels, drawn for every image, mixed with the image.

    Xu et al., "Robust and Generalizable Visual Representation Learning via Random Convolutions" (ICLR 2021): the kernel
    size is drawn from 1, 3, 5 and 7, weights are normal with variance 1/(C·k²), and alpha is uniform. In pixel space
    the filter turns around mid-grey and the result is clipped. No style images are read, so a sample does not depend on
    the batch; one channel is fine.

    Args:
        p: Probability that an image is changed.
        kernel_sizes: Odd sizes to draw from; on CPU the cost grows with their area.
        alpha: How much of the filtered image, in [0, 1], or a range.
        region: Where the image is filtered; all of it unless given.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> RandomConvolution(p=1.0)(torch.rand(2, 3, 8, 8), seed=0).shape
        torch.Size([2, 3, 8, 8])
    """

    method = "random_convolution"
    uses_styles = False
    resembles = ("brightness", "contrast", "saturate", "gaussian_blur", "defocus_blur")

    def __init__(
        self,
        p: float = 0.5,
        kernel_sizes: Sequence[int] = (1, 3, 5, 7),
        alpha: Span = (0.0, 1.0),
        **shared: object,
    ) -> None:
        if shared.get("styles") is not None:
            raise ValueError("expected no styles for RandomConvolution, which reads none, got some; try styles=None")
        super().__init__(p, alpha, **shared)  # type: ignore[arg-type]
        if not kernel_sizes or any(size < 1 or size % 2 == 0 for size in kernel_sizes):
            raise ValueError(f"expected odd kernel_sizes, got {tuple(kernel_sizes)}; try (1, 3, 5, 7)")
        self.kernel_sizes = tuple(kernel_sizes)

    def draw_detail(self, shape: torch.Size, seeds: Tensor) -> tuple[Tensor, ...]:
        """Draw every cell's weights, N×K×C×C×k×k with k the largest size, and kernel size, int64 N×K."""
        cells, channels, largest = self.region.count, shape[1], max(self.kernel_sizes)
        sizes = _sizes(self.kernel_sizes, seeds.device)
        size = sizes[integers(uniform(fold(seeds, "size"), (cells,)), len(sizes))]
        weights = normal(fold(seeds, "weights"), (cells, channels, channels, largest, largest))
        place = (torch.arange(largest, device=seeds.device) - largest // 2).abs()
        inside = torch.maximum(place[:, None], place) <= size[..., None, None] // 2
        scale = inside / (size * channels**0.5)[..., None, None]
        return weights * scale[:, :, None, None], size

    def describe(self, images: Tensor) -> Tensor:
        """Return nothing: a filter reads no more than the image."""
        return images.new_empty(len(images), 0)

    def prepare(self, own: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Return each image's weights."""
        return detail[0]

    def restyle(self, images: Tensor, ready: Tensor) -> Tensor:
        """Filter images."""
        return random_convolution(images, ready)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"{super().extra_repr()}, kernel_sizes={self.kernel_sizes}"


@cached_tensors(8)
def _sizes(kernel_sizes: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(kernel_sizes, device=device)
