"""Which number of the model's output is explained: a class, a region of a segmentation, a pixel, or any function."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from robustlit.explanations.floats import at_least_float

__all__ = ["AnyTarget", "ClassTarget", "Goal", "PixelTarget", "RegionTarget", "Target", "resolve"]

Classes: TypeAlias = int | Sequence[int] | Tensor


@dataclass(frozen=True)
class Goal:
    """One number an image, as a function of logits: what every map of one call explains.

    Args:
        classes: int64 of shape N, or None where a function scores the logits.
        region: bool N×H×W, the pixels whose logits are added up; None for classifiers.
        function: From logits of n images to n scores, instead of a class.
    """

    classes: Tensor | None
    region: Tensor | None = None
    function: Callable[[Tensor], Tensor] | None = None

    def score(self, logits: Tensor, index: Tensor | None = None) -> Tensor:
        """Return the score of every row of logits, float of shape n.

        Args:
            logits: n×K or n×K×H×W.
            index: int64 of shape n: which image a row belongs to; by default row i belongs to image i.
        """
        logits = at_least_float(logits)
        if self.function is not None:
            return self._checked(self.function(logits), len(logits))
        return self._gather(_two_sided(logits), index, mean=False)

    def probability(self, logits: Tensor, index: Tensor | None = None, *, independent: bool = False) -> Tensor:
        """Return the probability of the class (its mean over the region), or the function's score, of shape n.

        Args:
            logits: n×K or n×K×H×W.
            index: As in :meth:`score`.
            independent: Whether every class has a probability of its own (multi-label): sigmoid instead of softmax.
        """
        logits = at_least_float(logits)
        if self.function is not None:
            return self._checked(self.function(logits), len(logits))
        one_each = independent or logits.shape[1] == 1
        sides = _two_sided(logits)
        return self._gather(sides.sigmoid() if one_each else sides.softmax(1), index, mean=True)

    def _gather(self, values: Tensor, index: Tensor | None, *, mean: bool) -> Tensor:
        if self.classes is None:
            raise ValueError("expected a class to score, got a goal without one; try target=0")
        classes = self.classes if index is None else self.classes[index]
        rows = torch.arange(len(values), device=values.device)
        chosen = values[rows, classes]
        if self.region is None:
            return chosen
        region = self.region if index is None else self.region[index]
        total = (chosen * region).flatten(1).sum(1)
        return total / region.flatten(1).sum(1).clamp(min=1) if mean else total

    @staticmethod
    def _checked(scores: Tensor, count: int) -> Tensor:
        if scores.shape != (count,):
            raise ValueError(
                f"expected {count} scores of the target function, one an image, got shape {tuple(scores.shape)}; "
                "try lambda logits: logits[:, 0]"
            )
        return scores


class Target(ABC):
    """What to explain of every image; :meth:`goal` turns it into scores once the logits are known."""

    @abstractmethod
    def goal(self, logits: Tensor) -> Goal:
        """Return the goal for logits N×K or N×K×H×W without a graph."""


AnyTarget: TypeAlias = Classes | Target | Goal | Callable[[Tensor], Tensor] | None


@dataclass(frozen=True)
class ClassTarget(Target):
    """The logit of a class; for a segmentation its sum over all pixels.

    Args:
        classes: One class for all images or one each; by default the predicted class, for a segmentation the class
            predicted for most pixels. A model with a single logit z has the classes 0 (-z) and 1 (z).

    Example:
        >>> ClassTarget(1).goal(torch.tensor([[1.0, 2.0, 3.0]])).score(torch.tensor([[1.0, 2.0, 3.0]]))
        tensor([2.])
    """

    classes: Classes | None = None

    def goal(self, logits: Tensor) -> Goal:
        """Return the goal; see :class:`Target`."""
        dense = logits.ndim == 4
        if self.classes is not None:
            classes = _classes(self.classes, logits)
        else:
            predicted = _two_sided(logits).argmax(1)
            classes = _commonest(predicted, torch.ones_like(predicted, dtype=torch.bool)) if dense else predicted
        everywhere = torch.ones(len(logits), *logits.shape[2:], dtype=torch.bool, device=logits.device)
        return Goal(classes, everywhere if dense else None)


@dataclass(frozen=True)
class RegionTarget(Target):
    """The sum of a class's logits over its region of a segmentation (Vinogradova et al., Seg-Grad-CAM, AAAI 2020).

    Args:
        classes: One class for all images or one each; by default the class with most pixels of the region.
        mask: True classes N×H×W (or N×1×H×W), whose region it is; by default the predicted region.
        ignore_index: Value of the mask's pixels that do not count.
        without: Classes that are not chosen by default where there is another one, such as a background.

    Raises:
        ValueError: Where an image has no pixel of its class: its map would be zero without a reason to be seen.
    """

    classes: Classes | None = None
    mask: Tensor | None = None
    ignore_index: int | None = None
    without: tuple[int, ...] = ()

    def goal(self, logits: Tensor) -> Goal:
        """Return the goal; see :class:`Target`."""
        _expect_dense(logits, "a region")
        found = _two_sided(logits).argmax(1) if self.mask is None else self._true(logits)
        valid = torch.ones_like(found, dtype=torch.bool) if self.ignore_index is None else found != self.ignore_index
        valid &= (found >= 0) & (found < max(logits.shape[1], 2))
        classes = self._chosen(found, valid) if self.classes is None else _classes(self.classes, logits)
        region = (found == classes[:, None, None]) & valid
        empty = (~region.flatten(1).any(1)).nonzero().flatten().tolist()
        if empty:
            kind = "predicted" if self.mask is None else "true"
            raise ValueError(
                f"expected class {int(classes[empty[0]])} in the {kind} region of image {empty[0]}, got no pixel of "
                "it; try ClassTarget, which scores all pixels"
            )
        return Goal(classes, region)

    def _chosen(self, found: Tensor, valid: Tensor) -> Tensor:
        left_out = torch.tensor(self.without, dtype=found.dtype, device=found.device)
        others = valid & ~torch.isin(found, left_out)
        rest = others.flatten(1).any(1)[:, None, None]
        return _commonest(found, torch.where(rest, others, valid))

    def _true(self, logits: Tensor) -> Tensor:
        mask = self.mask.squeeze(1) if self.mask is not None and self.mask.ndim == 4 else self.mask
        expected = (len(logits), *logits.shape[2:])
        if mask is None or tuple(mask.shape) != expected:
            got = None if mask is None else tuple(mask.shape)
            raise ValueError(f"expected a mask of shape {expected} like the logits, got {got}; try masks N×H×W")
        return mask.detach().clone().to(device=logits.device, dtype=torch.int64)


@dataclass(frozen=True)
class PixelTarget(Target):
    """The logit of a class at one pixel of a segmentation, one pixel an image.

    Args:
        row: From 0 at the top; one for all images or one each.
        column: From 0 at the left, likewise.
        classes: One class for all images or one each; by default the class predicted there.

    Raises:
        ValueError: If the pixel is outside the logits.
    """

    row: Classes
    column: Classes
    classes: Classes | None = None

    def goal(self, logits: Tensor) -> Goal:
        """Return the goal; see :class:`Target`."""
        _expect_dense(logits, "a pixel")
        count, device = len(logits), logits.device
        rows = _in_range("row", self.row, count, logits.shape[2], device)
        columns = _in_range("column", self.column, count, logits.shape[3], device)
        images = torch.arange(count, device=device)
        there = _two_sided(logits).argmax(1)[images, rows, columns]
        region = torch.zeros(count, *logits.shape[2:], dtype=torch.bool, device=device)
        region[images, rows, columns] = True
        return Goal(there if self.classes is None else _classes(self.classes, logits), region)


def resolve(target: AnyTarget, logits: Tensor) -> Goal:
    """Return what to explain, from whatever a user gives as ``target``.

    Args:
        target: None (the predicted class; for a segmentation the predicted region of the class with most pixels), a
            class or one an image, a :class:`Target`, the goal of an earlier result, or a function from logits n×… to n
            scores.
        logits: N×K or N×K×H×W.

    Raises:
        ValueError: If a class is out of range, the number of targets is not that of the images, or a region is empty.
        TypeError: If it is nothing of these.
    """
    logits = logits.detach()
    if logits.ndim not in (2, 4):
        raise ValueError(
            f"expected logits N×K or N×K×H×W, got shape {tuple(logits.shape)}; try Adapter(logits=lambda output: …)"
        )
    if target is None:
        return (RegionTarget() if logits.ndim == 4 else ClassTarget()).goal(logits)
    if isinstance(target, Target):
        return target.goal(logits)
    if isinstance(target, Goal):
        return _fitting(target, logits)
    if isinstance(target, int | Tensor | Sequence) and not isinstance(target, str):
        return ClassTarget(target).goal(logits)
    if callable(target):
        return Goal(None, function=target)
    raise TypeError(f"expected a target as a class, classes N, a Target or a function, got {target!r}; try target=0")


def _fitting(goal: Goal, logits: Tensor) -> Goal:
    """Return a goal on the logits' device, checked against them."""
    if goal.classes is None:
        return goal
    region = None if goal.region is None else goal.region.detach().clone().to(logits.device)
    shape = None if region is None else tuple(region.shape)
    expected = (len(logits), *logits.shape[2:]) if logits.ndim == 4 else None
    if shape != expected:
        raise ValueError(f"expected a goal whose region has shape {expected}, got {shape}; try target=0")
    return Goal(_classes(goal.classes, logits), region)


def _two_sided(logits: Tensor) -> Tensor:
    """Return scores of the classes: a single logit z stands for the scores (-z, z) of the classes 0 and 1."""
    return torch.cat((-logits, logits), dim=1) if logits.shape[1] == 1 else logits


def _classes(classes: Classes, logits: Tensor) -> Tensor:
    return _in_range("target", classes, len(logits), max(logits.shape[1], 2), logits.device)


def _in_range(what: str, values: Classes, count: int, size: int, device: torch.device) -> Tensor:
    found = torch.as_tensor(values).detach().clone().to(device)
    if found.is_floating_point() or found.ndim > 1 or (found.ndim == 1 and len(found) != count):
        raise ValueError(
            f"expected one {what} for each of {count} images, or one for all, as integers, got {found.dtype} of shape "
            f"{tuple(found.shape)}; try {what}=0"
        )
    found = found.to(torch.int64).expand(count)
    wrong = ((found < 0) | (found >= size)).nonzero().flatten().tolist()
    if wrong:
        raise ValueError(
            f"expected a {what} from 0 to {size - 1}, got {int(found[wrong[0]])} for image {wrong[0]}; try {what}=0"
        )
    return found


def _commonest(labels: Tensor, valid: Tensor) -> Tensor:
    """Return the commonest label of every image, of shape N; 0 where nothing is valid."""
    flat = torch.where(valid, labels, 0).flatten(1)
    counts = torch.zeros(len(labels), int(flat.max()) + 1, dtype=torch.int64, device=labels.device)
    return counts.scatter_add_(1, flat, valid.flatten(1).to(torch.int64)).argmax(1)


def _expect_dense(logits: Tensor, what: str) -> None:
    if logits.ndim != 4:
        raise ValueError(
            f"expected logits N×K×H×W of a segmentation for {what}, got shape {tuple(logits.shape)}; try ClassTarget"
        )
