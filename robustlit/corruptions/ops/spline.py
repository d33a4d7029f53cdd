"""Cubic B-splines through an image (Unser, Aldroubi and Eden 1993), with the conventions of ``scipy.ndimage``."""

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["coefficients", "cubic_resize", "cubic_sample"]

_POLE = math.sqrt(3) - 2  # of the cubic spline's inverse filter
_REACH = 14  # pixels; the filter falls by the pole at each, to below 1e-8 here


def coefficients(images: Tensor) -> Tensor:
    """Return the spline coefficients of images: the prefilter, with the image mirrored about its outermost pixels.

    Args:
        images: Float N×C×H×W, H and W ≥ 16.

    Returns:
        Float N×C×H×W, values up to about three times the range of the images.
    """
    rows = _inverse_filter(images)
    return _inverse_filter(rows.transpose(2, 3)).transpose(2, 3).contiguous()


def cubic_sample(coefficients: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Evaluate the spline at the same places in every image; places beyond the outermost pixel centres give 0.

    The 16 taps are read as four bilinear samples whose places are moved by the weights (Sigg and Hadwiger, GPU Gems 2,
    chapter 20), which the positive weights of a B-spline allow.

    Args:
        coefficients: Float N×C×H×W.
        rows: Row coordinates in pixels, H'×W'.
        columns: Column coordinates, H'×W'.

    Returns:
        Float N×C×H'×W'.
    """
    height, width = coefficients.shape[-2:]
    inside = ((rows >= 0) & (rows <= height - 1) & (columns >= 0) & (columns <= width - 1)).to(rows.dtype)
    column_pairs = [(column * (2 / (width - 1)) - 1, weight) for column, weight in _tap_pairs(columns)]
    flat = coefficients.flatten(0, 1).unsqueeze(0)
    result = flat.new_zeros((1, flat.shape[1], *rows.shape))
    for row, row_weight in _tap_pairs(rows):
        y, seen = row * (2 / (height - 1)) - 1, row_weight * inside
        for x, column_weight in column_pairs:
            grid = torch.stack((x, y), dim=-1)
            sample = functional.grid_sample(flat, grid[None], padding_mode="reflection", align_corners=True)
            result.add_(sample.mul_(seen * column_weight))
    return result.view(*coefficients.shape[:2], *rows.shape)


def cubic_resize(coefficients: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Evaluate the spline on a grid of rows and columns inside the image, mirrored about its outermost pixels.

    Args:
        coefficients: Float N×C×H×W.
        rows: Row coordinates in pixels, of length H'.
        columns: Column coordinates, of length W'.

    Returns:
        Float N×C×H'×W'.
    """
    tall = _along_rows(coefficients, rows)
    return _along_rows(tall.transpose(2, 3).contiguous(), columns).transpose(2, 3)


def _along_rows(images: Tensor, places: Tensor) -> Tensor:
    first = places.floor()
    length = images.shape[2]
    result = images.new_zeros(())
    for tap, weight in enumerate(_weights(places - first)):
        index = (first.long() + tap - 1).abs()
        index = torch.where(index >= length, 2 * length - 2 - index, index)
        result = images.index_select(2, index) * weight[:, None] + result
    return result


def _weights(part: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The four weights of the cubic B-spline for the part of a coordinate beyond its floor."""
    rest = 1 - part
    return (
        rest * rest * rest / 6,
        2 / 3 - part * part * (1 - part / 2),
        2 / 3 - rest * rest * (1 - rest / 2),
        part * part * part / 6,
    )


def _tap_pairs(places: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Two places between taps and their weights, which together read what the four taps would."""
    first = places.floor()
    a, b, c, d = _weights(places - first)
    return (first - 1 + b / (a + b), a + b), (first + 1 + d / (c + d), c + d)


def _inverse_filter(images: Tensor) -> Tensor:
    """Filter along rows (axis 2): the inverse of (1, 4, 1)/6, whose impulse response is -6·pole/(1-pole²)·pole^|k|."""
    height = images.shape[2]
    padded = functional.pad(images, (0, 0, _REACH, _REACH), mode="reflect")
    gain = -6 * _POLE / (1 - _POLE * _POLE)
    result = padded.narrow(2, _REACH, height) * gain
    for k in range(1, _REACH + 1):
        both = padded.narrow(2, _REACH - k, height) + padded.narrow(2, _REACH + k, height)
        result.add_(both, alpha=gain * _POLE**k)
    return result
