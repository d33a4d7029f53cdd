"""Channel statistics of feature maps, and the transfer of them."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["StyleStatistics", "adaptive_instance_norm", "feature_statistics"]

_EPSILON = 1e-5  # added to variances, as in the paper's code


class StyleStatistics(NamedTuple):
    """Mean and standard deviation of every channel over the positions, float32 of shape N×C."""

    mean: Tensor
    std: Tensor

    def rows(self, index: Tensor) -> "StyleStatistics":
        """Return the statistics of some samples."""
        return StyleStatistics(self.mean[index], self.std[index])


def feature_statistics(features: Tensor) -> StyleStatistics:
    """Return mean and standard deviation of features N×C×H×W over H and W, in float32 whatever the features' type.

    The variance is the unbiased one plus 1e-5, as in the code of Huang and Belongie (ICCV 2017).
    """
    variance, mean = torch.var_mean(features.float(), dim=(2, 3))
    return StyleStatistics(mean, (variance + _EPSILON).sqrt())


def adaptive_instance_norm(features: Tensor, style: StyleStatistics, alpha: Tensor | float = 1.0) -> Tensor:
    """Give features the mean and standard deviation of a style, channel by channel (Huang and Belongie, ICCV 2017).

    Args:
        features: N×C×H×W.
        style: Of shape N×C.
        alpha: Share of the style in [0, 1], one number or of shape N; 0 returns the features.

    Returns:
        Float32 N×C×H×W.

    Example:
        >>> style = StyleStatistics(torch.tensor([[3.0]]), torch.tensor([[0.5]]))
        >>> feature_statistics(adaptive_instance_norm(torch.rand(1, 1, 8, 8), style)).mean
        tensor([[3.]])
    """
    own = feature_statistics(features)
    share = torch.as_tensor(alpha, device=features.device)[..., None]
    scale = share * style.std / own.std + (1 - share)  # the blend of two affine maps is one affine map
    shift = share * (style.mean - own.mean * style.std / own.std)
    return features.float() * scale[:, :, None, None] + shift[:, :, None, None]
