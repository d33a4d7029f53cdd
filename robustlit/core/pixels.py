"""Pixel space: images in [0, 1], and exact float32 arithmetic on them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from robustlit.core.random import fold

__all__ = ["check_pixels", "exact_arithmetic", "pixel_hash", "pixel_tolerance"]

_TOLERANCE = 1e-3


@contextmanager
def exact_arithmetic(device: torch.device) -> Iterator[None]:
    """Run pixel operations in float32 with autocast and TF32 off, whatever the Trainer's precision.

    Within a step of precision "bf16-true" Lightning makes bfloat16 the type of new tensors; here it is float32.

    Args:
        device: The device whose autocast is switched off.
    """
    backends: Any = torch.backends
    switches = (
        backends.cuda.matmul,
        backends.cudnn.conv,
        backends.mkldnn.matmul,
        backends.mkldnn.conv,
    )
    with ExitStack() as stack:
        stack.enter_context(torch.autocast(device.type, enabled=False))
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float32)
        for switch in switches:
            stack.enter_context(_ieee(switch))
        yield


@contextmanager
def _ieee(switch: Any) -> Iterator[None]:
    before = switch.fp32_precision
    if before in ("ieee", "none"):  # already plain float32; setting it would only mark it as set
        yield
        return
    switch.fp32_precision = "ieee"
    try:
        yield
    finally:
        switch.fp32_precision = before


def pixel_tolerance(dtype: torch.dtype) -> float:
    """Return how far rounding may put pixels of a float dtype outside of [0, 1]: a step of bfloat16 is 0.0078."""
    return max(_TOLERANCE, torch.finfo(dtype).eps)


def check_pixels(images: Tensor, *, values: bool = True) -> None:
    """Raise unless images are float N×C×H×W in [0, 1]; the error names the likely cause.

    It reads the smallest and the largest value back to the host, so it is for the first batch, not for every step.

    Args:
        images: What ought to be images in pixel space.
        values: Whether to look at the values; the host does not wait for the device where not.

    Raises:
        TypeError: If the images are not floating point.
        ValueError: If the shape is not N×C×H×W or a value lies outside [0, 1].

    Example:
        >>> check_pixels(torch.full((2, 3, 8, 8), 254.0))
        Traceback (most recent call last):
        ...
        ValueError: expected images in [0, 1], got values up to 254; try dividing them by 255
    """
    if not images.is_floating_point():
        raise TypeError(f"expected float images in [0, 1], got {images.dtype}; try images.float() / 255")
    if images.ndim != 4:
        raise ValueError(f"expected images of shape N×C×H×W, got {tuple(images.shape)}; try adding the missing axis")
    if not values or images.numel() == 0:
        return
    low, high = torch.stack(torch.aminmax(images)).tolist()
    tolerance = pixel_tolerance(images.dtype)
    if low >= -tolerance and high <= 1 + tolerance:
        return
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        raise ValueError("expected images in [0, 1], got NaN or infinite values; try checking the data set")
    if low < -tolerance:
        raise ValueError(
            f"expected images in [0, 1], got values from {low:.4g} to {high:.4g}, which looks normalised; "
            "try Adapter(mean=…, std=…) with the values of your normalisation"
        )
    raise ValueError(f"expected images in [0, 1], got values up to {high:.4g}; try dividing them by 255")


def pixel_hash(images: Tensor) -> Tensor:
    """Hash every image to a 63-bit integer, to stand in for a sample index where the batch carries none.

    Args:
        images: Float N×C×H×W.

    Returns:
        int64 of shape N; equal images give equal numbers on every device.
    """
    bits = images.detach().to(torch.float32).contiguous().flatten(1).view(torch.int32).to(torch.int64)
    weights = fold(torch.arange(bits.shape[1], device=bits.device), "pixel") | 1
    return fold((bits * weights).sum(1), "image")
