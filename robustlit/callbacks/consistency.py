"""The Jensen–Shannon term of AugMix and PRIME: predictions of an image and of two versions of it are to agree."""

from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from robustlit.augmentations import AugmentationOp
from robustlit.augmentations.consistency import jensen_shannon
from robustlit.callbacks.augmentation_chain import run_chain
from robustlit.core import Adapter
from robustlit.core.pipeline import Step
from robustlit.core.random import fold

__all__ = ["Scene", "consistency_term", "of_consistency"]

Operations: TypeAlias = dict[str, AugmentationOp]

_VIEWS = ("first view", "second view")


class Scene(NamedTuple):
    """What the term needs of a batch.

    Args:
        adapter: How to read the batch and the model.
        images: Pixels N×C×H×W, before the operation.
        targets: Their targets; None where there are none.
        seeds: int64 of shape N.
    """

    adapter: Adapter
    images: Tensor
    targets: Tensor | None
    seeds: Tensor


def of_consistency(operations: Operations) -> tuple[Operations, Operations]:
    """Part operations into those that change the batch and those, at most one, that have a term in the loss.

    Raises:
        ValueError: If more than one has a ``jsd_weight``.
    """
    views = {name: each for name, each in operations.items() if each.jsd_weight > 0}
    if len(views) > 1:
        raise ValueError(f"expected one augmentation with jsd_weight, got {', '.join(views)}; try jsd_weight=0 for one")
    return {name: each for name, each in operations.items() if name not in views}, views


def consistency_term(module: nn.Module, step: Step, scene: Scene, views: Operations) -> Tensor:
    """Return the divergence between the step's own predictions and those of two versions of its images, a scalar.

    The versions pass the model in one batch. Where the step did not call ``forward``, its images pass once more.

    Raises:
        ValueError: If the operation would change the targets.
    """
    pictures = []
    for view in _VIEWS:
        changed = run_chain(views, scene.images, scene.targets, fold(scene.seeds, view))
        if changed.targets is not scene.targets:
            raise ValueError("expected an augmentation that leaves targets as they are for the Jensen–Shannon term")
        pictures.append(changed.images)
    own = scene.adapter.logits_of(step.forward) if step.forward is not None else None
    if own is None or not own.requires_grad or len(own) != len(scene.images):
        own = scene.adapter.predict(module, scene.images)
    logits = [own, *scene.adapter.predict(module, torch.cat(pictures)).chunk(2)]
    return _mean(scene, logits)


def _mean(scene: Scene, logits: list[Tensor]) -> Tensor:
    """Average over samples; over labels, or over the pixels that count."""
    targets, adapter = scene.targets, scene.adapter
    task = "classification" if targets is None else adapter.task_of(targets, logits[0])
    divergence = jensen_shannon(logits, bernoulli=task in ("multilabel", "binary_segmentation"))
    if targets is None or "segmentation" not in task:
        return divergence.mean()
    valid = (targets.reshape(divergence.shape) != adapter.ignored).float()
    return (divergence * valid).sum() / valid.sum().clamp(min=1)
