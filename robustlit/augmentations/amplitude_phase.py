"""Style by amplitude-phase recombination: all amplitudes of another image, with the own phase."""

import torch
from torch import Tensor

from robustlit.augmentations.style import StyleOp

__all__ = ["AmplitudePhase", "amplitude_phase"]

_NOTHING = 1e-12  # lost in the rounding of any other coefficient


def amplitude_phase(images: Tensor, amplitude: Tensor) -> Tensor:
    """Give images other Fourier amplitudes, channel by channel.

    Args:
        images: Float32 N×C×H×W.
        amplitude: Of ``torch.fft.rfft2``, float32 N×C×H×(W//2+1).

    Returns:
        Float32 N×C×H×W, not clipped.
    """
    own = torch.fft.rfft2(images)
    parts = torch.view_as_real(own)
    parts[..., 0].add_(_NOTHING)  # a coefficient of 0 gets the phase 0
    changed = own.mul_(amplitude / own.abs())
    restyled: Tensor = torch.fft.irfft(torch.fft.ifft(changed, dim=2), n=images.shape[3], dim=3)  # quicker than irfft2
    return restyled


class AmplitudePhase(StyleOp):
    """All Fourier amplitudes from another image, the phase from the own: shapes stay, texture and colour go.

    Chen et al., "Amplitude-Phase Recombination: Rethinking Robustness of Convolutional Neural Networks in Frequency
    Domain" (ICCV 2021), APR-P: p = 0.6 on CIFAR, 0.5 on ImageNet. The authors' code leaves up to 12 % of the values
    outside [0, 1]; here they are clipped, and each channel is transformed alone.

    Args:
        p: Probability that an image is changed.
        alpha: How much of the style, in [0, 1], or a range.
        region: Where the style is changed; the whole image unless given.
        styles: Style images S×C×H×W or a folder; by default the other samples of the batch.
        label_gamma: Weight of the own label where labels become soft, see ``StyleOp``.

    Example:
        >>> AmplitudePhase(p=1.0)(torch.rand(2, 3, 8, 8), seed=0).shape
        torch.Size([2, 3, 8, 8])
    """

    method = "amplitude_phase"
    resembles = ("brightness", "contrast")

    def describe(self, styles: Tensor) -> Tensor:
        """Return the amplitudes of style images."""
        amplitude: Tensor = torch.fft.rfft2(styles).abs()
        return amplitude

    def restyle(self, images: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Give images the amplitudes of style images."""
        return amplitude_phase(images, style)
