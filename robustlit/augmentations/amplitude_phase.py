"""Style by amplitude-phase recombination: all amplitudes of another image, with the own phase."""

import torch
from torch import Tensor

from robustlit.augmentations.style import StyleOp

__all__ = ["AmplitudePhase", "amplitude_phase"]

_NOTHING = 1e-12


def amplitude_phase(own: Tensor, style: Tensor) -> Tensor:
    """Recombine spectra: the phase of the first and the amplitude of the second.

    Args:
        own: ``torch.fft.rfft2`` of images, complex64 N×C×H×(W//2+1).
        style: Of style images, likewise.

    Returns:
        complex64 of the same shape; a coefficient without amplitude has no phase and stays 0.
    """
    return own * (style.abs() / own.abs().clamp_(min=_NOTHING))


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
    is_brief = False
    resembles = ("brightness", "contrast")

    def describe(self, images: Tensor) -> Tensor:
        """Return the spectrum of images."""
        spectrum: Tensor = torch.fft.rfft2(images)
        return spectrum

    def prepare(self, own: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Recombine spectra."""
        return amplitude_phase(own, style)

    def restyle(self, images: Tensor, ready: Tensor) -> Tensor:
        """Transform recombined spectra back; in two steps, which is quicker than ``irfft2`` on CPU."""
        restyled: Tensor = torch.fft.irfft(torch.fft.ifft(ready, dim=2), n=images.shape[3], dim=3)
        return restyled
