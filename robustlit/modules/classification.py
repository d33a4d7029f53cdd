"""Single- and multi-label classification."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MultilabelAccuracy

from robustlit.core import Adapter
from robustlit.metrics import AUROC, CalibrationError
from robustlit.modules.base import VisionModule

__all__ = ["ClassificationModule"]

_MOST_CURVES = 200  # one curve a class: with more classes the area under it costs more than it tells


class ClassificationModule(VisionModule):
    """Train and evaluate a classifier.

    The scores are ``accuracy`` (multi-label: the mean over labels of the share of right answers), ``auroc`` (for up to
    200 classes) and ``calibration_error``. Targets are class indices N, class probabilities N×K (in training), or N×K
    of 0 and 1 with ``multilabel``.

    Args:
        network: Normalised images N×C×H×W to logits N×K.
        multilabel: Whether every class is a question of its own: binary cross entropy in place of cross entropy.
        label_smoothing: Probability mass in [0, 1) spread evenly over the classes, in training only.
        options: What :class:`~robustlit.modules.base.VisionModule` takes: ``num_classes``, ``class_names``, ``mean``,
            ``std``, ``optimizer``, ``schedule``, ``decay_all``, ``channels_last``.

    Example:
        >>> from robustlit.models import small_cnn
        >>> module = ClassificationModule(small_cnn(num_classes=8), num_classes=8)
        >>> module(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 8])
    """

    def __init__(
        self, network: nn.Module, *, multilabel: bool = False, label_smoothing: float = 0.0, **options: Any
    ) -> None:
        super().__init__(network, **options)
        self.multilabel = multilabel
        self.label_smoothing = label_smoothing
        self.headline = "val/auroc" if multilabel else "val/accuracy"

    @property
    def adapter(self) -> Adapter:
        """How callbacks read this module's batches."""
        if self.multilabel:
            return Adapter(task="multilabel")
        return Adapter(task="classification", soft_targets=True)

    def loss(self, logits: Tensor, targets: Tensor, *, training: bool = False) -> Tensor:
        """Return the mean cross entropy, binary for multi-label targets."""
        smoothing = self.label_smoothing if training else 0.0
        if self.multilabel:
            smooth = targets.float() * (1 - smoothing) + smoothing / 2
            return F.binary_cross_entropy_with_logits(logits.float(), smooth)
        return F.cross_entropy(logits.float(), targets, label_smoothing=smoothing)

    def accuracy(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | int]:
        """Return the share of right answers; of soft targets the likeliest class counts."""
        if self.multilabel:
            hits = (logits > 0) == (targets > 0.5)
        else:
            hits = logits.argmax(1) == (targets.argmax(1) if targets.ndim == 2 else targets)
        return hits.float().mean(), len(targets)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return float32 probabilities N×K, which add up to 1 unless multi-label."""
        return logits.float().sigmoid() if self.multilabel else super().probabilities(logits)

    def new_scores(self) -> Metric | MetricCollection:
        """Return accuracy, calibration error and, where it applies, AUROC."""
        accuracy = (
            MultilabelAccuracy(self.num_classes, validate_args=False)
            if self.multilabel
            else MulticlassAccuracy(self.num_classes, average="micro", validate_args=False)
        )
        scores: dict[str, Metric | MetricCollection] = {"accuracy": accuracy, "calibration_error": CalibrationError()}
        if self.num_classes <= _MOST_CURVES:
            scores["auroc"] = AUROC(self.num_classes)
        return MetricCollection(scores, compute_groups=False)

    def update_scores(self, scores: Any, logits: Tensor, targets: Tensor) -> None:
        """Count a batch."""
        scores.update(self.probabilities(logits), targets.long())

    def check_targets(self, targets: Tensor) -> None:
        """Raise ValueError where targets do not fit the number of classes."""
        classes = self.num_classes
        if self.multilabel or targets.is_floating_point():
            if targets.ndim != 2 or targets.shape[1] != classes:
                raise ValueError(f"expected targets N×{classes}, got {tuple(targets.shape)}; try model.num_classes")
            return
        if targets.ndim != 1:
            raise ValueError(f"expected class indices N, got {tuple(targets.shape)}; try task=multilabel")
        low, high = (int(end) for end in torch.aminmax(targets))
        if low < 0 or high >= classes:
            wrong = low if low < 0 else high
            raise ValueError(
                f"expected class indices 0 to {classes - 1}, got {wrong}; try model.num_classes={high + 1}"
            )
