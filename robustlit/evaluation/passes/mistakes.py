"""How wrong a model is and how sure of it, and the worst images of a pass without keeping the others."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.core.logits import two_sided

__all__ = ["Worst", "flipped", "mistakes"]


def mistakes(adapter: Adapter, logits: Tensor, targets: Tensor) -> Tensor:
    """Return how confident the model is in what is wrong, in [0, 1], float of shape N; 0 where all is right.

    For classes the probability of the wrong prediction, for labels that of the most confident wrong one, for masks the
    confidence of the wrong pixels, averaged over all that count.

    Args:
        adapter: Tells the task.
        logits: N×K, N×1 for two classes, or N×K×H×W.
        targets: N, N×K, N×H×W or N×1×H×W.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
        >>> mistakes(Adapter(), logits, torch.tensor([0, 1]))
        tensor([0.0000, 0.8808])
    """
    task = adapter.task_of(targets, logits)
    logits = logits.detach().float()
    ignored = adapter.ignored
    if task == "classification":
        truth = targets.argmax(1) if targets.ndim == 2 else targets
        confidence, predicted = two_sided(logits).softmax(1).max(1)
        return (confidence * ((predicted != truth) & (truth != ignored))).nan_to_num(0.0)
    if task == "multilabel":
        probability = logits.sigmoid()
        wrong = (logits > 0) != (targets > 0.5)
        return (probability.maximum(1 - probability) * wrong).amax(1).nan_to_num(0.0)
    truth = targets.squeeze(1) if targets.ndim == 4 else targets
    confidence, predicted = _pixels(logits)
    valid = truth != ignored
    wrong = (predicted != truth) & valid
    return ((confidence * wrong).flatten(1).sum(1) / valid.flatten(1).sum(1).clamp(min=1)).nan_to_num(0.0)


def flipped(adapter: Adapter, clean: Tensor, changed: Tensor, targets: Tensor) -> Tensor:
    """Return how wrong a model has become by a change of the images, in [0, 1], float of shape N.

    For classes and labels 0 unless the clean image was right; for masks what the mistakes grew by.

    Args:
        adapter: Tells the task.
        clean: Logits of the clean images.
        changed: Those of the changed images.
        targets: Of both.
    """
    before, after = mistakes(adapter, clean, targets), mistakes(adapter, changed, targets)
    if clean.ndim == 4:
        return (after - before).clamp(min=0)
    return torch.where(before == 0, after, torch.zeros_like(after))


class Worst:
    """Keeps what belongs to the highest scores, on the device of the scores and without waiting for it.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._kept: dict[str, Tensor] | None = None

    def add(self, scores: Tensor, entries: Mapping[str, Tensor]) -> None:
        """Offer some samples.

        Args:
            scores: Float of shape N.
            entries: Tensors whose first axis is N, the same names in every call.
        """
        best = scores.detach().topk(min(self.count, len(scores)))
        new = {"score": best.values.clone(), **{name: values[best.indices] for name, values in entries.items()}}
        if self._kept is not None:
            _check_sizes(self._kept, new)
            both = {name: torch.cat((self._kept[name], new[name])) for name in new}
            order = both["score"].topk(min(self.count, len(both["score"]))).indices
            new = {name: values[order] for name, values in both.items()}
        self._kept = new

    def found(self) -> dict[str, Tensor]:
        """Return the entries with positive scores on the CPU, the highest score first; empty without any."""
        if self._kept is None:
            return {}
        kept = {name: values.detach().cpu() for name, values in self._kept.items()}
        positive = kept["score"] > 0
        return {name: values[positive] for name, values in kept.items()}

    @staticmethod
    def merged(found: Sequence[Mapping[str, Tensor]], count: int) -> dict[str, Tensor]:
        """Return the highest of what several processes found, each ``ids`` once; empty without any."""
        parts = [each for each in found if each and len(each["score"])]
        if not parts:
            return {}
        both = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        order: list[int] = []
        seen: set[int] = set()
        for place in both["score"].argsort(descending=True, stable=True).tolist():
            if int(both["ids"][place]) not in seen and len(order) < count:
                seen.add(int(both["ids"][place]))
                order.append(place)
        return {name: values[order] for name, values in both.items()}


def _check_sizes(kept: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> None:
    for name, values in new.items():
        if values.shape[1:] != kept[name].shape[1:]:
            sizes = f"{tuple(kept[name].shape[1:])} and {tuple(values.shape[1:])}"
            raise ValueError(f"expected {name} of one size, got {sizes}; try a transform that resizes them")


def _pixels(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return the confidence and the class of every pixel, N×H×W each."""
    if logits.shape[1] > 1:
        found = logits.softmax(1).max(1)
        return found.values, found.indices
    probability = logits[:, 0].sigmoid()
    return probability.maximum(1 - probability), (logits[:, 0] > 0).long()
