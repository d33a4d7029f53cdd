"""How often a prediction changes along a sequence of slightly perturbed frames."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from robustlit.core.names import unknown_name
from robustlit.metrics.standard_errors import normal_interval

__all__ = ["FlipProbability", "FlipRate", "FlipRates", "flip_probability", "mean_flip_rate"]


def flip_probability(predictions: Tensor, *, noise: bool = False) -> Tensor:
    """Return the flip probability of every sequence: the share of its frames whose prediction differs.

    ImageNet-P (Hendrycks and Dietterich, ICLR 2019). Frames are compared with the one before; those of a noise, where
    neighbours have nothing in common, with the first. FP of a perturbation is the mean over its sequences.

    Args:
        predictions: Predicted classes N×T, a row a sequence of T ≥ 2 frames, the first of which is clean.
        noise: Whether the perturbation is a noise.

    Returns:
        float32 N in [0, 1].

    Raises:
        ValueError: If there is no second frame.

    Example:
        >>> flip_probability(torch.tensor([[7, 7, 3, 3, 7]])).item(), flip_probability(torch.tensor([[7, 3, 3]])).item()
        (0.5, 0.5)
        >>> flip_probability(torch.tensor([[7, 3, 3]]), noise=True).item()
        1.0
    """
    return _flips(predictions, noise) / (predictions.shape[1] - 1)


def mean_flip_rate(probabilities: Mapping[str, float], reference: Mapping[str, float]) -> float:
    """Return mFR: the mean over perturbations of the flip probability over that of a reference model.

    NaN where the reference never flips.

    Raises:
        ValueError: If the reference lacks a perturbation.

    Example:
        >>> mean_flip_rate({"tilt": 0.1, "snow": 0.3}, {"tilt": 0.2, "snow": 0.3})
        0.75
    """
    lacking = [name for name in probabilities if name not in reference]
    if lacking:
        raise ValueError(f"expected a reference for every perturbation, got none for {lacking}; try adding it")
    rates = [each / reference[name] if reference[name] else math.nan for name, each in probabilities.items()]
    return math.fsum(rates) / len(rates) if rates else math.nan


class FlipRate(NamedTuple):
    """Flip probability of one perturbation.

    Args:
        probability: In [0, 1].
        n: Number of sequences.
        low: Lower end of its 95 % interval over sequences.
        high: Upper end.
    """

    probability: float
    n: int
    low: float
    high: float


class FlipRates(NamedTuple):
    """Flip probabilities by perturbation, and mFP, their mean."""

    perturbations: dict[str, FlipRate]
    mean: float


class FlipProbability(Metric):
    """Flip probability of every perturbation and mFP, their mean (Hendrycks and Dietterich, ICLR 2019, ImageNet-P).

    Args:
        perturbations: Their names. Those with "noise" in them are compared with the first frame, as published.
        frames: T, frames in a sequence.

    Raises:
        ValueError: If ``frames`` is below 2, or an update is for another perturbation or another length.

    Example:
        >>> metric = FlipProbability(["tilt", "shot_noise"], frames=3)
        >>> metric.update("tilt", torch.tensor([[7, 3, 3], [1, 1, 1]]))
        >>> metric.update("shot_noise", torch.tensor([[7, 3, 3], [1, 1, 1]]))
        >>> metric.compute().perturbations["tilt"].probability, metric.compute().mean
        (0.25, 0.375)
    """

    full_state_update = False
    higher_is_better = False
    flips: Tensor
    squares: Tensor
    sequences: Tensor

    def __init__(self, perturbations: Sequence[str], frames: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if frames < 2:
            raise ValueError(f"expected sequences of at least 2 frames, got {frames}; try ImageNet-P's 31")
        self.perturbations = tuple(perturbations)
        self.frames = frames
        for name in ("flips", "squares", "sequences"):
            self.add_state(name, torch.zeros(len(self.perturbations), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, perturbation: str, predictions: Tensor, valid: Tensor | None = None) -> None:
        """Count sequences of predicted classes N×T; those that are not ``valid`` (bool N) do not count."""
        if perturbation not in self.perturbations:
            raise unknown_name("perturbation", perturbation, self.perturbations)
        if predictions.ndim != 2 or predictions.shape[1] != self.frames:
            shape = tuple(predictions.shape)
            raise ValueError(f"expected predictions N×{self.frames}, got {shape}; try FlipProbability(frames=…)")
        place = self.perturbations.index(perturbation)
        flips = _flips(predictions, "noise" in perturbation)
        counted = torch.ones_like(flips) if valid is None else valid.long()
        self.flips[place] += (flips * counted).sum()
        self.squares[place] += (flips**2 * counted).sum()
        self.sequences[place] += counted.sum()

    def compute(self) -> FlipRates:
        """Return the rates of the perturbations that have sequences, and their mean."""
        sums = zip(self.flips.tolist(), self.squares.tolist(), self.sequences.tolist(), strict=True)
        rates = {name: self._rate(*each) for name, each in zip(self.perturbations, sums, strict=True) if each[2]}
        mean = math.fsum(rate.probability for rate in rates.values()) / len(rates) if rates else math.nan
        return FlipRates(rates, mean)

    def _rate(self, flips: int, squares: int, n: int) -> FlipRate:
        steps = self.frames - 1
        error = math.sqrt((n * squares - flips**2) / (n - 1)) / n / steps if n > 1 else math.nan
        probability = flips / n / steps
        return FlipRate(probability, n, *normal_interval(probability, error))


def _flips(predictions: Tensor, noise: bool) -> Tensor:
    """Return how many frames of every sequence differ: int64 N."""
    if predictions.ndim != 2 or predictions.shape[1] < 2:
        shape = tuple(predictions.shape)
        raise ValueError(f"expected predictions N×T with T >= 2, got {shape}; try stacking the frames")
    before = predictions[:, :1] if noise else predictions[:, :-1]
    return (predictions[:, 1:] != before).sum(1)
