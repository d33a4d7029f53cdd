"""Score-CAM: channels weighted by what the model says to the image seen through them."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.explanations.base import Look, Method, Part
from robustlit.explanations.progress import rounds

__all__ = ["ScoreCAM", "channel_masks", "score_cam"]


def score_cam(activations: Tensor, scores: Tensor) -> Tensor:
    """Return Score-CAM, N×h×w ≥ 0, of maps N×K×h×w and the scores N×K of the images seen through each channel."""
    return torch.einsum("nkhw,nk->nhw", activations, scores.softmax(1)).relu()


def channel_masks(activations: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the maps N×K×h×w at an image size, each stretched to [0, 1]; a constant map becomes 0."""
    masks = F.interpolate(activations, size=size, mode="bilinear", align_corners=False)
    low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
    varied = activations.amax((2, 3), keepdim=True) > activations.amin((2, 3), keepdim=True)  # before rounding
    return torch.where(varied & (high > low), (masks - low) / (high - low), 0)


@dataclass(frozen=True)
class ScoreCAM(Method):
    """The layer's maps weighted by the softmax over the channels of the score of the image masked by each: no gradient.

    One forward pass an image and channel, 512 for the last layer of a ResNet-18: for after training. Wang et al.,
    "Score-CAM", CVPR workshops 2020, algorithm 1. The baseline's score, the same for all channels, cancels in the
    softmax.

    Args:
        batch_size: Masked images in one forward pass.
        progress: Whether to show a progress bar.

    Raises:
        ValueError: If ``batch_size`` is below 1.
    """

    batch_size: int = 64
    progress: bool = True

    name: ClassVar[str] = "score_cam"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ACTIVATIONS})

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"expected a batch_size of 1 or more, got {self.batch_size}; try batch_size=64")

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        activations, images = look.parts[Part.ACTIVATIONS], look.images
        count, channels = activations.shape[:2]
        pairs = torch.cartesian_prod(torch.arange(count), torch.arange(channels)).view(-1, 2).to(images.device)
        scores = []
        for part in rounds(torch.split(pairs, self.batch_size), self.name, show=self.progress):
            index, channel = part.unbind(1)
            masks = channel_masks(activations[index, channel][:, None], (images.shape[2], images.shape[3]))
            scores.append(look.network.score(images[index] * masks, look.goal, index))
        return score_cam(activations, torch.cat(scores).view(count, channels).to(activations.dtype))
