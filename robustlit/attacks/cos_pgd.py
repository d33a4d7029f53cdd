"""CosPGD: PGD for dense labels that weighs a pixel by how well its prediction fits."""

from dataclasses import dataclass

from torch import Tensor

from robustlit.attacks.losses import Aim
from robustlit.attacks.pgd import PGD

__all__ = ["CosPGD"]


@dataclass(frozen=True)
class CosPGD(PGD):
    """PGD for segmentation: a pixel's loss weighs as much as its prediction is similar to its label.

    The weight is the cosine of the softmax of the logits and the label's unit vector, which is p_label / ‖p‖₂, and a
    constant to the gradient; with targets to reach it is one minus the cosine to the target. Agnihotri et al.,
    "CosPGD: an efficient white-box adversarial attack for pixel-wise prediction tasks" (2024).

    Args:
        eps: See ``PGD``; likewise everything else.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[0.0], [0.0]]])
        >>> aim = Aim(torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool))
        >>> CosPGD().weigh(logits, aim, step=0)
        tensor([[0.7071]])
    """

    def weigh(self, logits: Tensor, aim: Aim, step: int) -> Tensor:
        """Return the pixels' weights; they are the same at every step."""
        chosen = aim.labels if aim.goals is None else aim.goals
        share = logits.softmax(1)
        cosine = share.gather(1, chosen[:, None])[:, 0] / share.square().sum(1).sqrt()
        return cosine if aim.goals is None else 1 - cosine
