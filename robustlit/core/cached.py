"""Keeping tensors that depend on sizes and constants only."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

import torch

__all__ = ["cached_tensors"]

Build = TypeVar("Build", bound=Callable[..., Any])


def cached_tensors(maxsize: int) -> Callable[[Build], Build]:
    """Keep the tensors that a function builds, as ``functools.lru_cache`` does, for users with and without autograd.

    The first call may come from within ``torch.inference_mode``. Tensors that are made there can never enter a graph
    that is differentiated, so the function is run outside of it, whoever calls.

    Args:
        maxsize: How many results are kept.

    Example:
        >>> @cached_tensors(4)
        ... def ramp(length: int) -> torch.Tensor:
        ...     return torch.arange(length)
        >>> with torch.inference_mode():
        ...     kept = ramp(3)
        >>> kept.is_inference(), ramp(3) is kept
        (False, True)
    """

    def decorate(build: Build) -> Build:
        @lru_cache(maxsize)
        @wraps(build)
        def kept(*arguments: Any) -> Any:
            with torch.inference_mode(False), torch.no_grad():
                return build(*arguments)

        return cast(Build, kept)

    return decorate
