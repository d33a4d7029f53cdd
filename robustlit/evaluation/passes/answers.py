"""A model's answers one by one: of images, of the labels of images, or of some pixels of every image."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.core.logits import two_sided
from robustlit.core.random import fold, uniform
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.metrics.targets import check_targets, in_classes

__all__ = ["AnswerPicker", "Answers"]


@dataclass(frozen=True)
class Answers:
    """Answers with the truth, an image's in one piece.

    Args:
        logits: Float32 M×K, K at least 2.
        targets: int64 M in 0…K-1.
        images: int64 M, the index of the image.
        labels: int64 M, the label that is answered, of a multi-label task; else 0.
    """

    logits: Tensor
    targets: Tensor
    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)

    @property
    def n(self) -> int:
        """Number of images."""
        return len(torch.unique(self.images))

    def cpu(self) -> "Answers":
        """Return them on the CPU."""
        return Answers(self.logits.cpu(), self.targets.cpu(), self.images.cpu(), self.labels.cpu())

    @classmethod
    def joined(cls, parts: "Sequence[Answers]") -> "Answers":
        """Return several in the order of their images, whatever process or batch they come from."""
        order = torch.cat([part.images for part in parts]).argsort(stable=True)
        columns = zip(*((part.logits, part.targets, part.images, part.labels) for part in parts), strict=True)
        return cls(*(torch.cat(column)[order] for column in columns))


class AnswerPicker:
    """Picks the answers that count, the same ones whatever is done to the images.

    A single-label classifier answers once an image. Every label of a multi-label task is an answer of two classes. Of a
    mask, some valid pixels are taken, chosen by a hash of the image's index and the pixel's place: neighbours say much
    the same, so a few hundred of an image tell as much as all. One logit z stands for two classes, (0, z).

    Args:
        adapter: How targets are read.
        chunk: Some images.
        pixels: How many pixels of a mask.

    Example:
        >>> chunk = Chunk(torch.zeros(1, 3, 2, 2), torch.tensor([[[0, 1], [1, 255]]]), torch.tensor([7]))
        >>> picker = AnswerPicker(Adapter(ignore_index=255), chunk, pixels=2)
        >>> picker(torch.zeros(1, 2, 2, 2)).images.tolist()
        [7, 7]
    """

    def __init__(self, adapter: Adapter, chunk: Chunk, pixels: int = 256) -> None:
        self.adapter, self.chunk, self.pixels = adapter, chunk, pixels
        self._places: tuple[Tensor, Tensor] | None = None

    def __call__(self, logits: Tensor) -> Answers:
        """Return the answers among the logits of the chunk's images: N×K, or N×K×H×W."""
        targets, ids = self.chunk.targets, self.chunk.ids
        task = self.adapter.task_of(targets, logits)
        if self._places is None:
            check_targets(logits, targets, task, self.adapter.ignore_index)
        if task == "classification":
            targets = targets.argmax(1) if targets.ndim == 2 else targets
            return self._kept(two_sided(logits.float()), targets, ids, torch.zeros_like(ids))
        if task == "multilabel":
            count, labels = logits.shape
            each = torch.arange(labels, device=ids.device).repeat(count)
            flat = two_sided(logits.float().reshape(-1, 1))
            return self._kept(flat, targets.reshape(-1), ids.repeat_interleave(labels), each)
        return self._picked(two_sided(logits.float()), targets.squeeze(1) if targets.ndim == 4 else targets, ids)

    def _kept(self, logits: Tensor, targets: Tensor, images: Tensor, labels: Tensor) -> Answers:
        counted = targets != self.adapter.ignored
        self._places = (counted, counted)
        return Answers(logits[counted], targets[counted].long(), images[counted], labels[counted])

    def _picked(self, logits: Tensor, targets: Tensor, ids: Tensor) -> Answers:
        flat = targets.flatten(1).long()
        if self._places is None:
            valid = in_classes(flat, logits.shape[1], self.adapter.ignore_index)
            draws = uniform(fold(ids, "pixels"), (flat.shape[1],)).where(valid, 2.0)
            lowest = draws.topk(min(self.pixels, flat.shape[1]), largest=False)
            self._places = (lowest.indices.sort(1).values, valid)
        places, valid = self._places
        counted = valid.gather(1, places)
        picked = logits.flatten(2).gather(2, places[:, None].expand(-1, logits.shape[1], -1)).transpose(1, 2)
        images = ids[:, None].expand_as(places)[counted]
        return Answers(picked[counted], flat.gather(1, places)[counted], images, torch.zeros_like(images))
