"""What operations share that mix the samples of a batch: partners, and the labels of mixtures."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["mix_labels", "partners"]


def partners(draws: Tensor) -> Tensor:
    """Turn uniform numbers into positions of other samples of the batch.

    Args:
        draws: Float of shape N×…, in [0, 1).

    Returns:
        int64 of the same shape: never the sample's own position, unless it is alone.
    """
    count = len(draws)
    own = torch.arange(count, device=draws.device).view(-1, *[1] * (draws.ndim - 1))
    return (own + 1 + (draws * (count - 1)).to(torch.int64)) % count


def mix_labels(targets: Tensor, partner: Tensor, weight: Tensor, num_classes: int) -> Tensor:
    """Return soft labels of mixtures: ``weight`` times the sample's own and the rest of its partner's.

    Args:
        targets: Class numbers N, or labels N×K.
        partner: Positions in the batch, int64 of shape N.
        weight: float32 of shape N in [0, 1].
        num_classes: How many classes there are.

    Returns:
        float32 N×K.

    Raises:
        ValueError: If the targets are class masks, or class numbers of an unknown number of classes.
    """
    if targets.ndim == 1 and num_classes < 1:
        raise ValueError("expected the number of classes, for soft labels, got none; try Augmentation(num_classes=10)")
    if targets.ndim > 2:
        raise ValueError(
            f"expected targets of shape N or N×K, got {tuple(targets.shape)}; class masks cannot be mixed, try CutMix"
        )
    labels = F.one_hot(targets, num_classes).float() if targets.ndim == 1 else targets.float()
    return torch.lerp(labels[partner], labels, weight[:, None])
