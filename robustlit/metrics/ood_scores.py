"""Scores by which a classifier's logits tell familiar images from foreign ones; higher is more familiar."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.adapter import Task
from robustlit.core.logits import two_sided

__all__ = ["OOD_SCORES", "ood_scores"]


def ood_scores(logits: Tensor, task: Task) -> Tensor:
    """Return the scores of ``OOD_SCORES``, float32 N×3, in their order.

    ==============  =================================================================================================
    score           of a single-label classifier
    ==============  =================================================================================================
    ``msp``         the highest softmax probability, as its log-odds, which rank alike and do not round to 1
                    (Hendrycks and Gimpel, ICLR 2017)
    ``max_logit``   the highest logit (Hendrycks et al., ICML 2022)
    ``energy``      log Σ exp z, the negative free energy at temperature 1 (Liu et al., NeurIPS 2020)
    ==============  =================================================================================================

    With several labels the probability is the sigmoid of the highest logit and the energy Σ log(1 + exp z) (Wang et
    al., NeurIPS 2021). Of masks, the score of an image is the mean over its pixels. One logit z stands for two classes.

    Args:
        logits: N×K, N×K×H×W, or N×1×H×W.
        task: The task.

    Example:
        >>> [round(score, 3) for score in ood_scores(torch.tensor([[2.0, 0.0]]), "classification")[0].tolist()]
        [2.0, 2.0, 2.127]
    """
    logits = logits.float()
    if task != "multilabel":
        logits = two_sided(logits)
    found = torch.stack([score(logits, task == "multilabel") for score in OOD_SCORES.values()], 1)
    return found.flatten(2).mean(2) if found.ndim > 2 else found


def _msp(logits: Tensor, multilabel: bool) -> Tensor:
    if multilabel:
        return logits.amax(1)
    top = logits.topk(1, 1)
    others = logits.scatter(1, top.indices, -torch.inf).logsumexp(1)
    return top.values[:, 0] - others


def _max_logit(logits: Tensor, multilabel: bool) -> Tensor:
    return logits.amax(1)


def _energy(logits: Tensor, multilabel: bool) -> Tensor:
    return F.softplus(logits).sum(1) if multilabel else logits.logsumexp(1)


OOD_SCORES: dict[str, Callable[[Tensor, bool], Tensor]] = {"msp": _msp, "max_logit": _max_logit, "energy": _energy}
