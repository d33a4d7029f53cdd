"""Temperature scaling: one number that makes a network as sure as it is right, without changing an answer."""

import math

from torch import Tensor

__all__ = ["COLDEST", "HOTTEST", "fit_temperature"]

COLDEST, HOTTEST = 0.01, 100.0  # beyond these a network is right always, or never better than chance
_HALVINGS = 50


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """Return the temperature T at which the mean negative log-likelihood of softmax(logits / T) is least.

    Guo, Pleiss, Sun and Weinberger, ICML 2017. The likelihood is concave in 1/T, so the sign of its slope tells on
    which side the optimum lies, and bisection on log T finds it to ten digits, the same every time.

    Args:
        logits: M×K, K at least 2.
        targets: int64 M in 0…K-1.

    Returns:
        T in [0.01, 100]; an end of it where the optimum lies beyond.

    Raises:
        ValueError: If there is no answer, or a logit is not finite.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0]] * 4)  # right three times of four: log 3 would be enough
        >>> round(fit_temperature(logits, torch.tensor([0, 0, 0, 1])), 6) == round(2 / math.log(3), 6)
        True
    """
    if not len(logits):
        raise ValueError("expected at least one answer to fit a temperature on, got none; try more validation images")
    if not bool(logits.isfinite().all()):
        raise ValueError("expected finite logits to fit a temperature on, got NaN or infinity; try another checkpoint")
    logits = logits.double()
    own = logits.gather(1, targets[:, None])[:, 0].mean()
    low, high = math.log(COLDEST), math.log(HOTTEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # the slope of the loss in 1/T: the logit that is expected less the one that is true
        expected = ((logits * math.exp(-middle)).softmax(1) * logits).sum(1).mean()
        low, high = (middle, high) if expected > own else (low, middle)
    return math.exp((low + high) / 2)
