"""Pixel space: what is refused, and how; arithmetic that no precision setting changes."""

import pytest
import torch

from robustlit.core.pixels import check_pixels, exact_arithmetic, pixel_hash


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.rand(2, 3, 4, 4) * 255, ValueError, "dividing them by 255"),
        (torch.randn(2, 3, 4, 4), ValueError, "looks normalised.*Adapter"),
        (torch.full((1, 3, 4, 4), float("nan")), ValueError, "NaN or infinite"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), TypeError, "images.float"),
        (torch.rand(3, 4, 4), ValueError, "expected images of shape N×C×H×W"),
    ],
)
def test_refused(images, error, message) -> None:
    with pytest.raises(error, match=message) as caught:
        check_pixels(images)
    assert "\n" not in str(caught.value)


def test_accepted() -> None:
    beyond_by_rounding = torch.full((1, 1, 4, 4), 1.0078125, dtype=torch.bfloat16)
    for images in (torch.rand(2, 3, 4, 4), beyond_by_rounding, torch.zeros(0, 3, 4, 4)):
        check_pixels(images)


def test_values_are_not_looked_at_where_not_asked() -> None:
    check_pixels(torch.full((1, 3, 4, 4), 7.0), values=False)
    with pytest.raises(TypeError):
        check_pixels(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), values=False)


def test_exact_arithmetic_switches_off_and_puts_back() -> None:
    a = torch.rand(8, 8)
    matmul = torch.backends.cuda.matmul
    before = matmul.fp32_precision
    matmul.fp32_precision = "tf32"
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert (a @ a).dtype == torch.bfloat16
            with exact_arithmetic(torch.device("cpu")):
                assert (a @ a).dtype == torch.float32
                assert matmul.fp32_precision == "ieee"
            assert (a @ a).dtype == torch.bfloat16
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = before


def test_new_tensors_are_float32_in_exact_arithmetic_and_as_before_afterwards() -> None:
    torch.set_default_dtype(torch.bfloat16)
    try:
        with pytest.raises(RuntimeError, match="stop"), exact_arithmetic(torch.device("cpu")):
            assert torch.zeros(1).dtype == torch.float32
            raise RuntimeError("stop")
        assert torch.get_default_dtype() == torch.bfloat16
    finally:
        torch.set_default_dtype(torch.float32)


def test_pixel_hash_tells_images_apart_and_nothing_else() -> None:
    images = torch.rand(50, 3, 8, 8)
    codes = pixel_hash(images)
    assert codes.unique().numel() == 50
    assert torch.equal(pixel_hash(images.flip(0)), codes.flip(0))
    assert torch.equal(pixel_hash(images.to(memory_format=torch.channels_last)), codes)
    changed = images.clone()
    changed[3, 1, 2, 2] += 1e-6
    assert (pixel_hash(changed) != codes).nonzero().flatten().tolist() == [3]
    swapped = images.clone()
    swapped[0, :, 0, 0], swapped[0, :, 0, 1] = images[0, :, 0, 1], images[0, :, 0, 0]
    assert pixel_hash(swapped)[0] != codes[0]
