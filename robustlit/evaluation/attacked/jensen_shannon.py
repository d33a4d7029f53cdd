"""A loss for masks beside those of all tasks: an ensemble needs attacks that differ."""

import torch
from torch import Tensor

from robustlit.attacks.losses import Aim

__all__ = ["jensen_shannon"]


def jensen_shannon(logits: Tensor, aim: Aim) -> Tensor:
    """Return the Jensen-Shannon divergence of the prediction from the label's unit vector, in [0, ln 2], N×P.

    It hardly grows where a pixel is already wrong, so the attack turns to the others. One of the losses of SEA (Croce,
    Singh and Hein, "Towards Reliable Evaluation and Fast Training of Robust Semantic Segmentation Models", 2024).

    Args:
        logits: N×K×P.
        aim: The labels.

    Example:
        >>> aim = Aim(torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool))
        >>> round(jensen_shannon(torch.tensor([[[-50.0], [50.0]]]), aim).item(), 3)
        0.693
    """
    log_p = logits.log_softmax(1)
    p = log_p.exp()
    of_label = p.gather(1, aim.labels[:, None])[:, 0].clamp(min=1e-12)
    # with m = (p + e) / 2: half of KL(e ‖ m) and half of KL(p ‖ m); off the label p / m is 2
    from_label = -torch.log((1 + of_label) / 2)
    on_label = of_label * (of_label.log() - torch.log((1 + of_label) / 2))
    return (from_label + on_label + (1 - of_label) * torch.log(torch.tensor(2.0))) / 2
