"""How alike two maps are: of the clean and the corrupted image, or of two models."""

import torch
from torch import Tensor

__all__ = ["cosine", "rank_correlation", "top_overlap"]


def cosine(first: Tensor, second: Tensor) -> Tensor:
    """Return the cosine of the angle between maps N×H×W, in [-1, 1], of shape N; NaN where one is all zeros.

    Example:
        >>> cosine(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[2.0, 0.0]]]))
        tensor([1.])
    """
    a, b = _flat(first, second)
    lengths: Tensor = torch.linalg.vector_norm(a, dim=1) * torch.linalg.vector_norm(b, dim=1)
    return (a * b).sum(1) / lengths


def rank_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Return Spearman's rank correlation of maps N×H×W, in [-1, 1], of shape N; NaN where one is constant.

    Equal values share their mean rank.

    Example:
        >>> rank_correlation(torch.tensor([[[1.0, 2.0, 9.0]]]), torch.tensor([[[4.0, 5.0, 6.0]]]))
        tensor([1.])
    """
    a, b = (_ranks(values) for values in _flat(first, second))
    return cosine((a - a.mean(1, keepdim=True))[:, None], (b - b.mean(1, keepdim=True))[:, None]).to(first.dtype)


def top_overlap(first: Tensor, second: Tensor, share: float = 0.1) -> Tensor:
    """Return the intersection over union of the largest values of maps N×H×W, in [0, 1], of shape N.

    Args:
        first: N×H×W.
        second: N×H×W.
        share: Of the pixels that count as largest, in (0, 1].

    Raises:
        ValueError: If the shapes differ, or the share is out of range.
    """
    if not 0 < share <= 1:
        raise ValueError(f"expected a share in (0, 1], got {share}; try share=0.1")
    a, b = _flat(first, second)
    count = max(1, round(share * a.shape[1]))
    inside = [torch.zeros_like(x).scatter_(1, x.topk(count, dim=1).indices, 1) for x in (a, b)]
    common = (inside[0] * inside[1]).sum(1)
    return common / (2 * count - common)


def _flat(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    if first.ndim != 3 or first.shape != second.shape:
        raise ValueError(
            f"expected two batches of maps N×H×W of one shape, got {tuple(first.shape)} and {tuple(second.shape)}; "
            "try maps of one method and size"
        )
    return first.flatten(1), second.flatten(1)


def _ranks(values: Tensor) -> Tensor:
    """Return ranks from 0 of every row, float64; equal values get their mean rank."""
    ordered = values.sort(dim=1).values.contiguous()
    values = values.contiguous()
    first, behind = torch.searchsorted(ordered, values), torch.searchsorted(ordered, values, right=True)
    return (first + behind - 1).double() / 2
