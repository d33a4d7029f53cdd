"""Consistency of predictions: the Jensen–Shannon divergence between those of several versions of an image."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["jensen_shannon"]


def jensen_shannon(logits: Sequence[Tensor], *, bernoulli: bool = False) -> Tensor:
    """Return the Jensen–Shannon divergence of K predictions: the mean of their KL divergences from their mean.

    The consistency loss of AugMix (Hendrycks et al., ICLR 2020), which takes three predictions and the weight 12.

    Args:
        logits: K tensors of one shape N×C×…, the classes at the second axis.
        bernoulli: Whether every logit is a question of its own, as multi-label ones are, rather than one of C classes.

    Returns:
        Float32 in [0, ln K]: N×…, without the class axis; N×C×… for ``bernoulli``.

    Example:
        >>> sure = torch.tensor([[50.0, -50.0]])
        >>> round(jensen_shannon([sure, -sure]).item(), 4), jensen_shannon([sure, sure]).item()
        (0.6931, 0.0)
    """
    if bernoulli:
        logits = [torch.stack((each, torch.zeros_like(each)), 1) for each in logits]
    logs = torch.stack([F.log_softmax(each.float(), 1) for each in logits])
    mean = logs.logsumexp(0) - math.log(len(logits))
    return (logs.exp() * (logs - mean)).sum(2).mean(0)
