"""`explain`: every requested map of a batch from one forward and one backward pass."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.adapter import Adapter
from robustlit.core.neutral import private
from robustlit.explanations.base import Look, Method
from robustlit.explanations.floats import at_least_float
from robustlit.explanations.layers import select_layers
from robustlit.explanations.network import Model, Network, check_images
from robustlit.explanations.observe import observe
from robustlit.explanations.registry import chosen
from robustlit.explanations.result import Explanations, check_finite
from robustlit.explanations.target import AnyTarget

__all__ = ["explain"]


def explain(
    model: Model,
    images: Tensor,
    target: AnyTarget = None,
    methods: str | Method | Sequence[str | Method] = ("saliency", "grad_cam"),
    layer: str | Sequence[str] | None = None,
    *,
    adapter: Adapter | None = None,
) -> Explanations:
    """Return maps of what in the images speaks for a target, all gradients from one forward and one backward pass.

    Guided backpropagation and the deconvnet cost one more backward pass each; SmoothGrad, integrated gradients,
    Score-CAM and occlusion passes of their own, as their classes say. Everything is left bit-identical, also after an
    exception: modes, gradients, buffers, hooks, generators, images. It may be called under ``no_grad``,
    ``inference_mode`` and autocast (which is off inside), on compiled, frozen or half-precision models.

    Args:
        model: Images in [0, 1] to logits: an ``nn.Module``, a method of one, or (for methods without a layer) any
            callable, which then has to be in eval mode. Not a DDP wrapper in the middle of a training step.
        images: Float N×C×H×W in pixel space.
        target: None for the predicted class (in a segmentation: the predicted region of the class with most pixels), a
            class, classes of shape N, a :class:`ClassTarget`, :class:`RegionTarget` or :class:`PixelTarget`, the
            ``goal`` of an earlier result, or a function from logits n×… to n scores.
        methods: Names, or methods with options, such as ``SmoothGrad(samples=50)``.
        layer: Name of the layer of the CAM family; by default the last spatial map before pooling, for segmentation the
            bottleneck (:func:`target_layers` names the decoder's too). Several names give maps called
            ``"grad_cam@up.3"``, still from the same pass.
        adapter: Reads the logits, and normalises pixels; automatic by default.

    Returns:
        Maps N×H×W by method: raw values in float32, bilinearly upsampled to the images' size where they are smaller.

    Raises:
        ValueError: For an unknown method or layer, a layer without a spatial map, a target out of range, NaN maps.
        TypeError: If a model returns no logits, or the images are not float.

    Example:
        >>> from robustlit.models import small_cnn
        >>> maps = explain(small_cnn(num_classes=3), torch.rand(2, 3, 32, 48), target=1)
        >>> maps.layer, {name: tuple(values.shape) for name, values in maps.items()}
        ('features', {'saliency': (2, 32, 48), 'grad_cam': (2, 32, 48)})
    """
    check_images(images)
    found = chosen(methods)
    needs = frozenset().union(*(method.needs for method in found.values()))
    several = layer is not None and not isinstance(layer, str)
    network = Network(model, adapter)
    with network.looking(images.device):
        pixels = at_least_float(private(images))
        of_layer = any(method.of_layer() for method in found.values())
        layers = select_layers(network, layer, pixels) if of_layer else {}
        look, looks = observe(network, pixels, target if callable(target) else private(target), needs, layers)
        maps = _maps(found, look, looks, several=several)
    check_finite(maps)
    return Explanations(maps, layers=tuple(layers), goal=look.goal, logits=look.logits)


def _maps(methods: Mapping[str, Method], look: Look, looks: Mapping[str, Look], *, several: bool) -> dict[str, Tensor]:
    """Return the maps of every method, and of every layer where it is a method of layers, at image size."""
    maps: dict[str, Tensor] = {}
    for name, method in methods.items():
        if not method.of_layer():
            maps[name] = method.maps(look)
            continue
        for layer, own in looks.items():
            maps[f"{name}@{layer}" if several else name] = method.maps(own)
    size = look.images.shape[-2:]
    return {name: _resized(values, size).detach() for name, values in maps.items()}


def _resized(maps: Tensor, size: torch.Size) -> Tensor:
    if maps.shape[-2:] == size:
        return maps
    return F.interpolate(maps[:, None], size=tuple(size), mode="bilinear", align_corners=False)[:, 0]
