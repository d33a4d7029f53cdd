"""The pass that all methods of one call share: one forward, one backward for every gradient."""

from collections.abc import Mapping, Set
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from robustlit.explanations.base import Look, Part
from robustlit.explanations.capture import Capture
from robustlit.explanations.floats import at_least_float
from robustlit.explanations.grid import Grid, grid_of
from robustlit.explanations.network import Network
from robustlit.explanations.relu_rules import ReluRules
from robustlit.explanations.target import AnyTarget, Goal, resolve

__all__ = ["observe"]

_RULES = {Part.GUIDED_GRADIENT: "guided", Part.DECONV_GRADIENT: "deconvnet"}
_OF_PIXELS = {Part.IMAGE_GRADIENT, *_RULES}


def observe(
    network: Network, images: Tensor, target: AnyTarget, needs: Set[Part], layers: Mapping[str, nn.Module]
) -> tuple[Look, dict[str, Look]]:
    """Run the model once, and backwards once (and once more for each other rule of the ReLUs).

    To be called inside ``network.looking``.

    Args:
        network: The model.
        images: Float N×C×H×W, made by ``private``.
        target: What to explain.
        needs: The parts that the methods ask for.
        layers: The layers whose parts are wanted, by name.

    Returns:
        What is known of the images alone, and with the parts of every layer, by layer.

    Raises:
        ValueError: If a layer has no spatial map, or the target does not depend on it.
    """
    rules = ReluRules() if needs & _RULES.keys() else None
    by_pixels, by_layer = bool(needs & _OF_PIXELS), Part.ACTIVATION_GRADIENT in needs
    pixels = images.detach().requires_grad_(by_pixels)
    with torch.set_grad_enabled(by_pixels or by_layer), Capture(layers) as kept:
        with rules if rules is not None else nullcontext():
            logits = network.logits(pixels)
        goal = resolve(target, logits)
        outputs = {name: kept[name] for name in layers}
        grids = {name: _grid(name, output, images) for name, output in outputs.items()}
        parts, slopes = _gradients(network, goal, logits, pixels, outputs if by_layer else {}, needs, rules)
    look = Look(network, images, logits.detach(), goal, parts)
    looks = {}
    for name, grid in grids.items():
        own = {Part.ACTIVATIONS: at_least_float(grid.maps(outputs[name].detach()))}
        if name in slopes:
            own[Part.ACTIVATION_GRADIENT] = grid.maps(slopes[name])
        looks[name] = Look(network, images, look.logits, goal, parts | own)
    return look, looks


def _gradients(
    network: Network,
    goal: Goal,
    logits: Tensor,
    pixels: Tensor,
    outputs: Mapping[str, Tensor],
    needs: Set[Part],
    rules: ReluRules | None,
) -> tuple[dict[Part, Tensor], dict[str, Tensor]]:
    """Return the gradients by pixels, by part, and those by layers' outputs, by layer."""
    if not pixels.requires_grad and not outputs:
        return {}, {}
    if rules is not None and not rules.seen:
        raise ValueError(
            "expected a network with ReLUs for guided backpropagation and the deconvnet, got none in the forward pass; "
            "try 'saliency'"
        )
    left = [part for part in _RULES if part in needs]
    scores = goal.score(logits)
    if not pixels.requires_grad and not scores.requires_grad:
        raise _unused(next(iter(outputs)))
    parts: dict[Part, Tensor] = {}
    slopes: dict[str, Tensor] = {}
    wanted = [pixels] if Part.IMAGE_GRADIENT in needs else []
    wanted += outputs.values()
    if wanted:
        found = network.gradients(scores, wanted, keep=bool(left))
        if Part.IMAGE_GRADIENT in needs:
            first, *found = found
            parts[Part.IMAGE_GRADIENT] = torch.zeros_like(pixels) if first is None else first
        slopes = {name: _used(name, slope) for name, slope in zip(outputs, found, strict=True)}
    for part in left:
        if rules is not None:
            with rules.use(_RULES[part]):
                slope = network.gradients(scores, [pixels], keep=part is not left[-1])[0]
            parts[part] = torch.zeros_like(pixels) if slope is None else slope
    return parts, slopes


def _grid(name: str, output: Tensor, images: Tensor) -> Grid:
    grid = grid_of(output, images)
    if grid is None:
        raise ValueError(
            f"expected a layer with a spatial map, N×K×h×w or tokens of the image's patches, got shape "
            f"{tuple(output.shape)} from {name!r}; try layer=None"
        )
    return grid


def _used(name: str, gradient: Tensor | None) -> Tensor:
    if gradient is None:
        raise _unused(name)
    return gradient


def _unused(name: str) -> ValueError:
    return ValueError(f"expected a layer that the target depends on, got {name!r}; try layer=None")
