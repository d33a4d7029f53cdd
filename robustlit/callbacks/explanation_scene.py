"""One model at one moment, as the pictures of explanations see it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from robustlit.core import Adapter
from robustlit.core.adapter import Task
from robustlit.core.logits import two_sided
from robustlit.explanations import ClassTarget, Explanations, Goal, Method, RegionTarget, Target, explain
from robustlit.explanations.target import AnyTarget
from robustlit.panels.table import Guess, Words

__all__ = ["Predicted", "Scene", "main_method", "part_of"]

_PIXELS = 1 << 20  # images explained at a time, in pixels: a graph holds many times that
_GUESSES = 3


def main_method(methods: Sequence[Method]) -> Method:
    """Return the method that pairs and histories are drawn with: the last one of a layer, else the first of all."""
    of_layer = [method for method in methods if method.of_layer()]
    return of_layer[-1] if of_layer else methods[0]


@dataclass(frozen=True)
class Predicted(Target):
    """What the model says: the class of an image, or of a mask the region of the class with most pixels.

    Args:
        background: Class 0 of masks is what is left of the objects, and explained only where there is nothing else.
    """

    background: bool = False

    def goal(self, logits: Tensor) -> Goal:
        """Return the goal; see :class:`Target`."""
        if logits.ndim != 4:
            return ClassTarget().goal(logits)
        return RegionTarget(without=(0,) if self.background or logits.shape[1] == 1 else ()).goal(logits)


@dataclass(frozen=True)
class Scene:
    """A model with what is needed to explain it and to say what it means.

    Args:
        module: The module itself, not a wrapper.
        adapter: How to read it.
        methods: The columns of pictures.
        layer: Where methods of layers look; None for the automatic one.
        class_names: None for numbers.
        moment: What titles begin with: "epoch 3".
    """

    module: nn.Module
    adapter: Adapter
    methods: tuple[Method, ...]
    layer: str | Sequence[str] | None
    class_names: Sequence[str] | None
    moment: str

    @property
    def main(self) -> Method:
        """The method of pairs and histories."""
        return main_method(self.methods)

    @property
    def main_layer(self) -> str | None:
        """The layer of pairs and histories: the first one."""
        return self.layer if isinstance(self.layer, str) or self.layer is None else self.layer[0]

    def explain(self, images: Tensor, target: AnyTarget = None) -> Explanations:
        """Return the maps of every column; of many pixels a few images at a time."""
        return self._explain(images, target, self.methods, self.layer)

    def explain_main(self, images: Tensor, target: AnyTarget = None) -> tuple[Tensor, Explanations]:
        """Return the maps of the main method, and all that is known of them."""
        found = self._explain(images, target, (self.main,), self.main_layer)
        return found[self.main.name], found

    def over_image(self, names: Sequence[str]) -> list[str]:
        """Return which maps are laid over the image: those of layers, and of patches."""
        smooth = {method.name for method in self.methods if method.of_layer() or method.name == "occlusion"}
        return [name for name in names if name.split("@")[0] in smooth]

    def task(self, targets: Tensor, logits: Tensor) -> Task:
        """Return the task."""
        return self.adapter.task_of(targets, logits)

    def note(self, found: Explanations) -> str:
        """Return the grey line that names the layer."""
        return f"at {', '.join(found.layers)}" if found.layers else ""

    def name(self, place: int) -> str:
        """Return the name of a class."""
        names = self.class_names
        return names[place] if names and 0 <= place < len(names) else f"class {place}"

    def names(self, count: int) -> list[str]:
        """Return the names of all classes."""
        return [self.name(place) for place in range(count)]

    def words(self, logits: Tensor, targets: Tensor, notes: Sequence[Sequence[str]] = ()) -> list[Words]:
        """Return what the model says of images, for classes or labels.

        Args:
            logits: N×K.
            targets: N or N×K.
            notes: Further lines of every image.
        """
        logits, targets = logits.float().cpu(), targets.cpu()
        several = self.adapter.task_of(targets, logits) == "multilabel"
        probabilities = logits.sigmoid() if several else two_sided(logits).softmax(1)
        truth = targets > 0.5 if several else _one_hot(targets, probabilities)
        best = probabilities.topk(min(_GUESSES, probabilities.shape[1]), dim=1)
        words = []
        for row in range(len(logits)):
            pairs = zip(best.indices[row].tolist(), best.values[row].tolist(), strict=True)
            guesses = [Guess(self.name(place), value, bool(truth[row, place])) for place, value in pairs]
            said = probabilities[row] > 0.5
            right = bool((said == truth[row]).all()) if several else guesses[0].true
            true = ", ".join(self.name(place) for place in truth[row].nonzero().flatten().tolist()) or "none"
            words.append(Words(true, guesses, right, tuple(notes[row]) if notes else ()))
        return words

    def masks(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, int]:
        """Return true and predicted classes N×H×W of masks, and how many classes there are."""
        truth = (targets.squeeze(1) if targets.ndim == 4 else targets).long()
        predicted = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()
        return truth.to(predicted.device), predicted, max(2, logits.shape[1])

    def shares_right(self, logits: Tensor, targets: Tensor) -> list[float]:
        """Return the share of every mask's pixels, but those ignored, that are predicted right."""
        truth, predicted, _ = self.masks(logits, targets)
        ignored = -1 if self.adapter.ignore_index is None else self.adapter.ignore_index
        valid = truth != ignored
        right = ((truth == predicted) & valid).flatten(1).sum(1) / valid.flatten(1).sum(1).clamp(min=1)
        found: list[float] = right.tolist()
        return found

    def _explain(
        self, images: Tensor, target: AnyTarget, methods: Sequence[Method], layer: str | Sequence[str] | None
    ) -> Explanations:
        step = max(1, _PIXELS // (images.shape[-2] * images.shape[-1]))
        names = self.class_names or ("",)
        target = Predicted(names[0].lower() == "background") if target is None else target
        parts = [
            explain(
                self.module,
                images[start : start + step],
                part_of(target, start, start + step, len(images)),
                methods,
                layer,
                adapter=self.adapter,
            )
            for start in range(0, len(images), step)
        ]
        return parts[0] if len(parts) == 1 else _together(parts)


def part_of(target: AnyTarget, start: int, stop: int, count: int) -> AnyTarget:
    """Return the target of some of the images it was made for."""
    if isinstance(target, Goal) and target.classes is not None:
        region = None if target.region is None else target.region[start:stop]
        return Goal(target.classes[start:stop], region)
    if isinstance(target, Tensor) and target.ndim == 1 and len(target) == count:
        return target[start:stop]
    return target


def _together(parts: Sequence[Explanations]) -> Explanations:
    goals = [part.goal for part in parts]
    classes = [goal.classes for goal in goals if goal.classes is not None]
    regions = [goal.region for goal in goals if goal.region is not None]
    goal = Goal(torch.cat(classes) if classes else None, torch.cat(regions) if regions else None, goals[0].function)
    maps = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return Explanations(maps, layers=parts[0].layers, goal=goal, logits=torch.cat([part.logits for part in parts]))


def _one_hot(targets: Tensor, probabilities: Tensor) -> Tensor:
    classes = targets.argmax(1) if targets.ndim == 2 else targets
    return torch.nn.functional.one_hot(classes.long(), probabilities.shape[1]).bool()
