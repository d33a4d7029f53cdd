"""How concentrated a map is."""

import torch
from torch import Tensor

__all__ = ["concentration"]


def concentration(maps: Tensor) -> Tensor:
    """Return the Gini coefficient of each map's absolute values, in [0, 1), of shape N; NaN for a map of all zeros.

    0 where all pixels are equal, near 1 where one pixel has everything. Chalasani et al., "Concise explanations of
    neural networks using adversarial training", ICML 2020, use it for attributions.

    Args:
        maps: N×H×W.

    Example:
        >>> concentration(torch.tensor([[[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]]))
        tensor([0.0000, 0.7500])
    """
    values = maps.flatten(1).abs().sort(dim=1).values.double()
    count = values.shape[1]
    rank = torch.arange(1, count + 1, dtype=torch.float64, device=maps.device)
    gini = ((2 * rank - count - 1) * values).sum(1) / (count * values.sum(1))
    return gini.to(maps.dtype)
