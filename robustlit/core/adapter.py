"""How to read anyone's batch and anyone's model: one dataclass, with an automatic default."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.core.pixels import pixel_hash, pixel_tolerance

__all__ = ["TASKS", "TORCH_IGNORE", "Adapter", "Task"]

Task: TypeAlias = Literal["classification", "multilabel", "segmentation", "binary_segmentation"]
TASKS: tuple[Task, ...] = get_args(Task)
Place: TypeAlias = str | int | Callable[[Any], Tensor]

_IMAGE_KEYS = ("image", "images", "img", "x", "input", "inputs", "pixel_values")
_TARGET_KEYS = ("target", "targets", "label", "labels", "y", "mask", "masks")
_INDEX_KEYS = ("index", "indices", "idx")
TORCH_IGNORE = -100  # what torch.nn.functional.cross_entropy ignores unless told otherwise


@dataclass(frozen=True)
class Adapter:
    """Reads images, targets, sample indices and logits, and puts new images back into a new batch.

    Without arguments it understands tuples and lists ``(images, targets, …)``, mappings with the usual keys, and models
    that return a tensor, ``["out"]``, ``["logits"]`` or ``.logits``. Images are handed out in pixel space, [0, 1].

    Args:
        image: Where the images are: a key, a position, or a function of the batch.
        target: Where the targets are, likewise.
        index: Where the samples' indices in the data set are, likewise. Without any, a hash of the pixels stands in.
        put: A function ``(batch, images, targets) -> new batch``, needed where ``image`` is a function.
        logits: Where the logits are in the model's output: a key, an attribute or a function.
        task: The task, where the shapes of targets and logits do not tell it.
        loss: A function ``(logits, targets) -> N`` of per-sample losses; the task's usual one by default.
        ignore_index: Target value of pixels that do not count; None for torch's -100.
        soft_targets: Whether the module's own step understands class probabilities as targets.
        mean: Channel means that the batch's images were normalised with; ``None`` means they are in [0, 1].
        std: Channel standard deviations, likewise.

    Raises:
        ValueError: If only one of ``mean`` and ``std`` is given.

    Example:
        >>> adapter = Adapter()
        >>> batch = (torch.zeros(2, 3, 4, 4), torch.tensor([0, 1]))
        >>> new = adapter.replace(batch, torch.ones(2, 3, 4, 4))
        >>> type(new).__name__, float(new[0].mean()), float(batch[0].mean())
        ('tuple', 1.0, 0.0)
    """

    image: Place | None = None
    target: Place | None = None
    index: Place | None = None
    put: Callable[[Any, Tensor, Tensor | None], Any] | None = None
    logits: str | Callable[[Any], Tensor] | None = None
    task: Task | None = None
    loss: Callable[[Tensor, Tensor], Tensor] | None = None
    ignore_index: int | None = None
    soft_targets: bool = False
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if (self.mean is None) != (self.std is None):
            raise ValueError("expected mean and std together, got only one of them; try giving both or neither")

    @classmethod
    def for_module(cls, module: nn.Module) -> "Adapter":
        """Return the module's own ``adapter`` where it has one, else the automatic default."""
        own = getattr(module, "adapter", None)
        return own if isinstance(own, cls) else cls()

    @property
    def ignored(self) -> int:
        """The target value of what does not count: ``ignore_index``, or torch's."""
        return TORCH_IGNORE if self.ignore_index is None else self.ignore_index

    def images(self, batch: Any) -> Tensor:
        """Return the images in pixel space, float N×C×H×W."""
        return self.to_pixels(self._read(batch, self.image, _IMAGE_KEYS, 0, "image"))

    def targets(self, batch: Any) -> Tensor:
        """Return the targets: N, N×K, N×H×W or N×1×H×W."""
        return self._read(batch, self.target, _TARGET_KEYS, 1, "target")

    def indices(self, batch: Any) -> Tensor:
        """Return one int64 a sample: its index in the data set, or a hash of its pixels where the batch has none."""
        found = self.find_indices(batch)
        return pixel_hash(self._read(batch, self.image, _IMAGE_KEYS, 0, "image")) if found is None else found

    def find_indices(self, batch: Any) -> Tensor | None:
        """Return the samples' indices in the data set, int64 of shape N, or None where the batch has none."""
        if self.index is not None:
            return self._read(batch, self.index, (), None, "index").to(torch.int64)
        if isinstance(batch, Mapping):
            for key in _INDEX_KEYS:
                if isinstance(batch.get(key), Tensor):
                    return batch[key].to(torch.int64)  # type: ignore[no-any-return]
        return None

    def replace(self, batch: Any, images: Tensor, targets: Tensor | None = None) -> Any:
        """Return a new batch of the same type with these images (in pixel space) and, if given, these targets.

        Raises:
            TypeError: If the batch is of a kind that needs ``put`` or ``image`` to be named.
            ValueError: If class probabilities are to replace class indices that the module's step needs.
        """
        if targets is not None and not self.soft_targets:
            self._check_hard(self.targets(batch), targets)
        images = self.from_pixels(images)
        if self.put is not None:
            return self.put(batch, images, targets)
        new = {self._place(batch, self.image, _IMAGE_KEYS, 0, "image"): images}
        if targets is not None:
            new[self._place(batch, self.target, _TARGET_KEYS, 1, "target")] = targets
        return _rebuilt(batch, new)

    def predict(self, module: nn.Module, images: Tensor) -> Tensor:
        """Run a model on images in [0, 1] and return its logits: N×K, N×K×H×W or N×1×H×W."""
        return self.logits_of(module(self.from_pixels(images)))

    def logits_of(self, output: Any) -> Tensor:
        """Find the logits in a model's output.

        Raises:
            TypeError: If they are not where an output usually has them.
        """
        if callable(self.logits):
            return self.logits(output)
        if isinstance(output, Tensor) and self.logits is None:
            return output
        for name in (self.logits,) if self.logits is not None else ("logits", "out"):
            if isinstance(output, Mapping) and name in output:
                return output[name]  # type: ignore[no-any-return]
            if hasattr(output, name):
                return getattr(output, name)  # type: ignore[no-any-return]
        raise TypeError(
            f"expected logits as a tensor, ['out'], ['logits'] or .logits, got {type(output).__name__}; "
            "try Adapter(logits=lambda output: …)"
        )

    def task_of(self, targets: Tensor, logits: Tensor | None = None) -> Task:
        """Tell the task from the shapes: N, N×K, N×H×W or N×1×H×W targets.

        Raises:
            ValueError: If the shape of the targets is none of these.
        """
        if self.task is not None:
            return self.task
        if targets.ndim == 1:
            return "classification"
        if targets.ndim == 2:
            return "classification" if self.soft_targets and _sums_to_one(targets) else "multilabel"
        is_map = targets.ndim == 3 or (targets.ndim == 4 and targets.shape[1] == 1)
        if is_map and logits is not None:
            return "segmentation" if logits.shape[1] > 1 else "binary_segmentation"
        if is_map:
            return "segmentation" if targets.ndim == 3 else "binary_segmentation"
        raise ValueError(
            f"expected targets of shape N, N×K, N×H×W or N×1×H×W, got {tuple(targets.shape)}; try Adapter(task=…)"
        )

    def per_sample_loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of every sample, float32 of shape N: cross entropy, averaged over labels or valid pixels."""
        if self.loss is not None:
            return self.loss(logits, targets)
        logits = logits.float()
        task = self.task_of(targets, logits)
        if task == "classification":
            return F.cross_entropy(logits, targets, reduction="none")
        if task == "segmentation":
            targets = targets.squeeze(1) if targets.ndim == 4 else targets
            losses = F.cross_entropy(logits, targets, reduction="none", ignore_index=self.ignored)
            return _mean_where(losses, targets != self.ignored)
        targets = targets.unsqueeze(1) if task == "binary_segmentation" and targets.ndim == 3 else targets
        valid = (
            torch.ones_like(targets, dtype=torch.bool) if self.ignore_index is None else targets != self.ignore_index
        )
        losses = F.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype), reduction="none")
        return _mean_where(losses, valid)

    def to_pixels(self, images: Tensor) -> Tensor:
        """Undo the batch's normalisation; the same tensor where there is none.

        What the rounding of the batch's dtype put a little beyond [0, 1] is put back.
        """
        if self.mean is None or self.std is None:
            return images
        pixels = _by_channel(images, lambda channel, i: channel * self.std[i] + self.mean[i])  # type: ignore[index]
        inside = pixels.clamp(0, 1)
        near = (pixels - inside).abs() <= pixel_tolerance(pixels.dtype)
        return torch.where(near, inside, pixels)

    def from_pixels(self, images: Tensor) -> Tensor:
        """Normalise pixels the way the module's batches are; the same tensor where they are not."""
        if self.mean is None or self.std is None:
            return images
        return _by_channel(images, lambda channel, i: (channel - self.mean[i]) / self.std[i])  # type: ignore[index]

    def _check_hard(self, before: Tensor, after: Tensor) -> None:
        if before.ndim == 1 and not before.is_floating_point() and after.is_floating_point():
            raise ValueError(
                f"expected class indices N, which this module's step understands, got {tuple(after.shape)} "
                "probabilities; try Adapter(soft_targets=True) if it understands those too"
            )

    def _read(self, batch: Any, place: Place | None, keys: Sequence[str], position: int | None, what: str) -> Tensor:
        if callable(place):
            return place(batch)
        if isinstance(batch, Tensor) and place is None and position == 0:
            return batch
        found = batch[self._place(batch, place, keys, position, what)]
        if not isinstance(found, Tensor):
            raise TypeError(f"expected the {what} of a batch as a tensor, got {type(found).__name__}; {_hint(what)}")
        return found

    def _place(self, batch: Any, place: Place | None, keys: Sequence[str], position: int | None, what: str) -> Any:
        if callable(place):
            raise TypeError(f"expected `put` beside a callable `{what}`, got none; try Adapter({what}=…, put=…)")
        if place is not None:
            return place
        if isinstance(batch, Mapping):
            for key in keys:
                if key in batch:
                    return key
            raise TypeError(
                f"expected one of the keys {', '.join(keys)}, got {', '.join(map(str, batch))}; {_hint(what)}"
            )
        if isinstance(batch, list | tuple) and position is not None and len(batch) > position:
            return position
        raise TypeError(f"expected a batch as a tuple, list or mapping, got {type(batch).__name__}; {_hint(what)}")


def _hint(what: str) -> str:
    return f"try Adapter({what}=…) with its key, its position or a function of the batch"


def _rebuilt(batch: Any, new: Mapping[Any, Tensor]) -> Any:
    """Return a shallow copy of a container with some entries replaced; the original is not touched."""
    if isinstance(batch, Tensor):
        return next(iter(new.values()))
    if isinstance(batch, tuple):
        entries = list(batch)
        for position, value in new.items():
            entries[position] = value
        return type(batch)._make(entries) if hasattr(batch, "_make") else type(batch)(entries)
    changed = copy.copy(batch)
    for key, value in new.items():
        changed[key] = value
    return changed


def _by_channel(images: Tensor, change: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Change every channel in float32, and with Python numbers: a tensor of them would make the GPU wait for a copy."""
    exact = images.to(torch.promote_types(images.dtype, torch.float32))
    changed = torch.stack([change(channel, i) for i, channel in enumerate(exact.unbind(1))], dim=1)
    return changed.to(images.dtype) if images.is_floating_point() else changed


def _sums_to_one(targets: Tensor) -> bool:
    return targets.is_floating_point() and bool((targets.sum(1) - 1).abs().max() < 1e-3)


def _mean_where(losses: Tensor, valid: Tensor) -> Tensor:
    valid = valid.flatten(1)
    return (losses.flatten(1) * valid).sum(1) / valid.sum(1).clamp(min=1)
