"""Finding the layers whose maps are worth explaining, and layers by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from robustlit.core.adapter import Adapter
from robustlit.core.neutral import private
from robustlit.explanations.capture import first_tensor
from robustlit.explanations.grid import Grid, grid_of
from robustlit.explanations.network import Model, Network, check_images
from robustlit.explanations.target import resolve

__all__ = ["automatic_layers", "named_layers", "select_layers", "target_layers"]

_POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
_COMPILED = "_orig_mod."
# One pass over one image finds the layers of a model; its outcome depends on the model's structure and the image size.
_found: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], tuple[str, ...]]] = WeakKeyDictionary()


def target_layers(model: Model, images: Tensor, *, adapter: Adapter | None = None) -> tuple[str, ...]:
    """Return the names of the layers that a CAM of a model is best taken at.

    Of a classifier the last layer with a spatial map that the prediction depends on, before pooling: ``layer4`` of a
    ResNet, the norm before the last attention of a ViT. Of a segmentation network the bottleneck (the last layer with
    the smallest map) and the last decoder block before the head, in this order.

    Args:
        model: An ``nn.Module``, or a method of one.
        images: Float N×C×H×W; the first one is looked at.
        adapter: Reads the logits; automatic by default.

    Raises:
        ValueError: If the model has no such layer.

    Example:
        >>> import torch
        >>> from robustlit.models import small_cnn, unet
        >>> target_layers(small_cnn(num_classes=3), torch.rand(1, 3, 32, 32))
        ('features',)
        >>> target_layers(unet(num_classes=2, width=4, depth=2), torch.rand(1, 3, 32, 48))
        ('bottom', 'up.1')
    """
    check_images(images)
    network = Network(model, adapter)
    with network.looking(images.device):
        return automatic_layers(network, private(images))


def automatic_layers(network: Network, images: Tensor) -> tuple[str, ...]:
    """Return the layers of :func:`target_layers`; to be called inside ``network.looking``."""
    module = _module(network)
    remembered, size = _found.setdefault(module, {}), tuple(images.shape[1:])
    known = named_layers(module)
    if size not in remembered or any(name not in known for name in remembered[size]):
        trace, logits = _trace(network, known, images[:1])
        chosen = _dense(trace) if logits.ndim == 4 else _last(trace)
        if not chosen:
            raise ValueError(
                f"expected a layer with a spatial map behind the first one, got none in {type(module).__name__}; "
                "try layer= with a name, or 'saliency'"
            )
        remembered[size] = chosen
    return remembered[size]


def select_layers(network: Network, layer: str | Sequence[str] | None, images: Tensor) -> dict[str, nn.Module]:
    """Return the modules of the named layers, or of the first automatic one.

    Raises:
        ValueError: If a layer does not exist; the message has the nearest names.
    """
    known = named_layers(_module(network))
    if layer is None:
        names: Sequence[str] = automatic_layers(network, images)[:1]
    else:
        names = (layer,) if isinstance(layer, str) else tuple(layer)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.4) or list(known)[-3:]
            raise ValueError(f"expected the name of a layer, got {name!r}; try {' or '.join(map(repr, near))}")
    return {name: known[name] for name in names}


def named_layers(module: nn.Module) -> dict[str, nn.Module]:
    """Return every layer below a module by name; what ``torch.compile`` adds to names is left out."""
    return {
        name.replace(_COMPILED, ""): child
        for name, child in module.named_modules()
        if name and not name.endswith(_COMPILED[:-1])
    }


@dataclass(frozen=True)
class _Step:
    """One layer's last call: its map, and whether the prediction depends on it."""

    grid: Grid
    useful: bool


def _module(network: Network) -> nn.Module:
    if network.module is None:
        raise ValueError("expected an nn.Module for maps of a layer, got another callable; try 'saliency'")
    return network.module


def _trace(network: Network, layers: Mapping[str, nn.Module], images: Tensor) -> tuple[dict[str, _Step], Tensor]:
    """Run one image and return the layers with maps in the order of completion, without the head and what follows."""
    kept: dict[str, tuple[nn.Module, Tensor | None]] = {}

    def hook(name: str) -> Callable[[nn.Module, Any, Any], Any]:
        def keep(layer: nn.Module, inputs: Any, output: Any) -> Any:
            kept.pop(name, None)
            found = first_tensor(output)
            tensor, replace = found if found is not None else (None, None)
            has_map = tensor is not None and grid_of(tensor, images) is not None
            kept[name] = (layer, tensor if has_map else None)
            return replace(tensor.clone()) if has_map else output  # type: ignore[misc, union-attr]

        return keep

    handles = [layer.register_forward_hook(hook(name)) for name, layer in layers.items()]
    try:
        with torch.enable_grad():  # a caller that needs no gradient gets the same layers
            logits = network.logits(images.detach().requires_grad_())
            return _useful_steps(network, kept, logits, images), logits.detach()
    finally:
        for handle in handles:
            handle.remove()


def _useful_steps(
    network: Network, kept: Mapping[str, tuple[nn.Module, Tensor | None]], logits: Tensor, images: Tensor
) -> dict[str, _Step]:
    """Return the layers with maps that the predicted score has a gradient at; of a segmentation, those before its head.

    Tokens that only the class token looks past have none, and neither has an auxiliary head.
    """
    tensors = {name: tensor for name, (_, tensor) in kept.items() if tensor is not None and tensor.requires_grad}
    gradients = network.gradients(resolve(None, logits).score(logits), list(tensors.values())) if tensors else []
    slopes = {name: slope for name, slope in zip(tensors, gradients, strict=True) if slope is not None}
    names = list(slopes)
    learned = [i for i, name in enumerate(names) if any(True for _ in kept[name][0].parameters(recurse=False))]
    if logits.ndim == 4 and learned:
        names = names[: learned[-1]]
    steps = {}
    for name in names:
        grid = grid_of(tensors[name], images)
        if grid is not None and not isinstance(kept[name][0], _POOLS):
            steps[name] = _Step(grid, bool(grid.maps(slopes[name]).any()))
    return {name: step for name, step in steps.items() if step.useful} or steps


def _last(trace: Mapping[str, _Step]) -> tuple[str, ...]:
    return tuple(trace)[-1:]


def _dense(trace: Mapping[str, _Step]) -> tuple[str, ...]:
    """Return the bottleneck and the last layer of all, which may be the same."""
    if not trace:
        return ()
    areas = {name: step.grid.height * step.grid.width for name, step in trace.items()}
    smallest = min(areas.values())
    bottleneck = [name for name, area in areas.items() if area == smallest][-1]
    return tuple(dict.fromkeys((bottleneck, *_last(trace))))
