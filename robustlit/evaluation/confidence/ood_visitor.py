"""Scoring how familiar a model finds the images of a split, and foreign ones made beside them."""

from collections.abc import Sequence

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core import Adapter
from robustlit.core.adapter import Task
from robustlit.evaluation.confidence.generated_sets import generate
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.looking import looking
from robustlit.evaluation.passes.visiting import Visitor, from_all_processes
from robustlit.metrics.ood_scores import ood_scores

__all__ = ["OODVisitor", "fitted"]

OWN = ""  # the name of the images of the split themselves


class OODVisitor(Visitor):
    """Keeps the scores of every image; ``scores`` has those of all processes, float32 N×3 by set, "" being the split.

    Args:
        task: The model's task, which foreign images do not show.
        generated: Names of the sets that are made from the images.
        seed: Evaluation seed.
        shape: (channels, height, width) that images are brought to; None to take them as they are.
    """

    def __init__(
        self, task: Task, generated: Sequence[str] = (), seed: int = 0, shape: tuple[int, int, int] | None = None
    ) -> None:
        self.task, self.generated, self.seed, self.shape = task, tuple(generated), seed, shape
        self.scores: dict[str, Tensor] = {}
        self._parts: list[tuple[Tensor, dict[str, Tensor]]] = []

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Score some images, and what is made of them."""
        with looking(trainer, module, adapter) as predict:
            images = chunk.images if self.shape is None else fitted(chunk.images, self.shape)
            found = {OWN: ood_scores(predict(images), self.task).cpu()}
            for name in self.generated:
                made = generate(name, images, chunk.ids, self.seed)
                found[name] = ood_scores(predict(made), self.task).cpu()
        self._parts.append((chunk.ids.cpu(), found))

    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """Gather, in the order of the index."""
        parts = [part for own in from_all_processes(trainer, self._parts) for part in own]
        if parts:
            order = torch.cat([ids for ids, _ in parts]).argsort(stable=True)
            names = (OWN, *self.generated)
            self.scores = {name: torch.cat([found[name] for _, found in parts])[order] for name in names}


def fitted(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Return images with so many channels and of this size: grey is repeated, colour averaged, edges smoothed.

    Example:
        >>> fitted(torch.rand(2, 1, 28, 28), (3, 32, 32)).shape
        torch.Size([2, 3, 32, 32])
    """
    channels, height, width = shape
    if images.shape[1] != channels:
        images = images.mean(1, keepdim=True).expand(-1, channels, -1, -1)
    if images.shape[-2:] != (height, width):
        images = F.interpolate(images.float(), (height, width), mode="bilinear", antialias=True).clamp(0, 1)
    return images
