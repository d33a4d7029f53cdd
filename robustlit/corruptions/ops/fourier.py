"""Sizes that a fast Fourier transform likes."""

__all__ = ["fast_length"]


def fast_length(length: int) -> int:
    """Return the smallest even number ≥ ``length`` without a prime factor over 5.

    Example:
        >>> fast_length(13), fast_length(240), fast_length(242)
        (16, 240, 250)
    """
    while length % 2 or not _is_smooth(length):
        length += 1
    return length


def _is_smooth(length: int) -> bool:
    for factor in (2, 3, 5):
        while length % factor == 0:
            length //= factor
    return length == 1
