"""Semantic segmentation."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection

from robustlit.core import Adapter
from robustlit.core.logits import two_sided
from robustlit.metrics import CalibrationError, SegmentationScores
from robustlit.modules.base import VisionModule

__all__ = ["SegmentationModule"]

_NEVER = -(2**31)  # an ignore index that no mask has


class SegmentationModule(VisionModule):
    """Train and evaluate a network that gives every pixel a class.

    The scores are ``accuracy`` (of pixels), ``iou`` (mean over classes) and ``iou/<class>``, from one confusion matrix
    of the whole split, and ``calibration_error`` over all its valid pixels. Targets are class indices N×H×W or
    N×1×H×W. A network with one logit (``num_classes=1``) is one of two classes, the second of which is the mask.

    Args:
        network: Normalised images N×C×H×W to logits N×K×H×W.
        ignore_index: Pixels with this target count neither in the loss nor in the scores.
        dice: Weight of a Dice term (Milletari, Navab and Ahmadi, 3DV 2016) beside the cross entropy.
        options: What :class:`~robustlit.modules.base.VisionModule` takes: ``num_classes``, ``class_names``, ``mean``,
            ``std``, ``optimizer``, ``schedule``, ``decay_all``, ``channels_last``.

    Example:
        >>> from robustlit.models import unet
        >>> module = SegmentationModule(unet(num_classes=11, width=4), num_classes=11, ignore_index=255)
        >>> module(torch.rand(1, 3, 33, 47)).shape
        torch.Size([1, 11, 33, 47])
    """

    headline = "val/iou"

    def __init__(
        self, network: nn.Module, *, ignore_index: int | None = None, dice: float = 0.0, **options: Any
    ) -> None:
        super().__init__(network, **options)
        self.ignore_index = ignore_index
        self.dice = dice

    @property
    def adapter(self) -> Adapter:
        """How callbacks read this module's batches."""
        return Adapter(
            task="binary_segmentation" if self.num_classes == 1 else "segmentation", ignore_index=self.ignore_index
        )

    def loss(self, logits: Tensor, targets: Tensor, *, training: bool = False) -> Tensor:
        """Return the mean cross entropy of the valid pixels (zero where there is none), plus the Dice term."""
        pixels, classes = self._pixels(logits, targets)
        ignored = _NEVER if self.ignore_index is None else self.ignore_index
        valid = classes != ignored
        # cross entropy over rows, not over maps: on CUDA only the former is deterministic
        total = F.cross_entropy(pixels, classes, ignore_index=ignored, reduction="sum")
        loss = total / valid.sum().clamp(min=1)
        return loss + self.dice * _dice_loss(pixels, classes, valid) if self.dice else loss

    def accuracy(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | int]:
        """Return the share of valid pixels that are right, and their number."""
        pixels, classes = self._pixels(logits, targets)
        valid = (classes != (_NEVER if self.ignore_index is None else self.ignore_index)).sum()
        return (_likeliest(pixels) == classes).sum() / valid.clamp(min=1), valid

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return float32 probabilities N×K×H×W; two classes for a network with one logit."""
        return two_sided(logits.float()).softmax(1)

    def new_scores(self) -> Metric | MetricCollection:
        """Return pixel accuracy, mean IoU, the IoU of every class and calibration error."""
        scores: dict[str, Metric | MetricCollection] = {
            "confusion": SegmentationScores(self.class_names, self.ignore_index),
            "calibration_error": CalibrationError(ignore_index=self.ignore_index),
        }
        return MetricCollection(scores, compute_groups=False)

    def update_scores(self, scores: Any, logits: Tensor, targets: Tensor) -> None:
        """Count a batch."""
        scores["confusion"].update(_likeliest(two_sided(logits.float())), _maps(targets))
        scores["calibration_error"].update(self.probabilities(logits), _maps(targets))

    def check_targets(self, targets: Tensor) -> None:
        """Raise ValueError where targets do not fit the number of classes."""
        classes, maps = len(self.class_names), _maps(targets)
        if maps.ndim != 3:
            raise ValueError(f"expected masks N×H×W, got {tuple(targets.shape)}; try task=classification")
        counted = maps if self.ignore_index is None else maps.where(maps != self.ignore_index, 0)
        low, high = (int(end) for end in torch.aminmax(counted))
        if low < 0 or high >= classes:
            wrong = low if low < 0 else high
            raise ValueError(
                f"expected classes 0 to {classes - 1} in the masks, got {wrong}; "
                f"try data.ignore_index={wrong} or model.num_classes"
            )

    def _pixels(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits P×K and classes P of all pixels."""
        rows = two_sided(logits.float()).movedim(1, -1).flatten(0, -2)
        return rows, _maps(targets).flatten()


def _likeliest(logits: Tensor) -> Tensor:
    return logits.max(1).indices  # on a CPU several times as fast as argmax


def _maps(targets: Tensor) -> Tensor:
    return (targets.squeeze(1) if targets.ndim == 4 else targets).long()


def _dice_loss(pixels: Tensor, classes: Tensor, valid: Tensor) -> Tensor:
    """Return 1 minus the mean over classes of the soft Dice coefficient of the batch's valid pixels."""
    probabilities = pixels.softmax(1) * valid[:, None]
    true = F.one_hot(classes.where(valid, 0), pixels.shape[1]) * valid[:, None]
    overlap = 2 * (probabilities * true).sum(0) + 1  # the 1 keeps a class that the batch lacks from a division by zero
    return 1 - (overlap / (probabilities.sum(0) + true.sum(0) + 1)).mean()
