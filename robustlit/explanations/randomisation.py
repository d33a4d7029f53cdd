"""Cascading randomisation: does a map change when the model forgets what it learned?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from robustlit.core.adapter import Adapter
from robustlit.core.random import mix, normal
from robustlit.explanations.base import Method
from robustlit.explanations.explain import explain
from robustlit.explanations.layers import named_layers
from robustlit.explanations.network import Network
from robustlit.explanations.progress import rounds
from robustlit.explanations.similarity import rank_correlation
from robustlit.explanations.target import AnyTarget

__all__ = ["Cascade", "cascading_randomisation"]


@dataclass(frozen=True)
class Cascade:
    """Similarity of maps with those of the trained model.

    Args:
        layers: The layer down to which the model had forgotten, from the output to the input; "" is the model itself.
        similarity: Method to Spearman's correlation of absolute values, stages×N; NaN where a map is constant.
    """

    layers: tuple[str, ...]
    similarity: dict[str, Tensor]


def cascading_randomisation(
    model: nn.Module,
    images: Tensor,
    target: AnyTarget = None,
    methods: str | Method | Sequence[str | Method] = "grad_cam",
    layer: str | None = None,
    *,
    stages: int = 8,
    seed: int = 0,
    progress: bool = True,
    adapter: Adapter | None = None,
) -> Cascade:
    """Forget the layers one after the other, from the output to the input, and compare the maps with the first ones.

    A method whose maps stay alike shows the image, not the model. Adebayo et al., "Sanity checks for saliency maps",
    NeurIPS 2018, section 3.1. A layer forgets by drawing each parameter from the normal distribution of its mean and
    spread, so that the activations keep their scale. The model works with copies of its parameters meanwhile and gets
    the originals back, also after an exception; no global generator is read.

    Args:
        model: An ``nn.Module``.
        images: Float N×C×H×W in pixel space.
        target: As for ``explain``; a predicted class is that of the trained model throughout.
        methods: As for ``explain``.
        layer: As for ``explain``.
        stages: How often the maps are compared; the layers are spread evenly over the stages.
        seed: Of the random weights.
        progress: Whether to show a progress bar.
        adapter: As for ``explain``.

    Raises:
        ValueError: If ``stages`` is below 1, or the model learns nothing.
    """
    if stages < 1:
        raise ValueError(f"expected 1 or more stages, got {stages}; try stages=8")
    network = Network(model, adapter)
    order = _learning(network)
    count = min(stages, len(order))
    ends = [round((stage + 1) * len(order) / count) for stage in range(count)]
    first = explain(model, images, target, methods, layer, adapter=adapter)
    similarity: dict[str, list[Tensor]] = {name: [] for name in first}
    begin = 0
    with _scratch(network.module):
        for end in rounds(ends, "cascading_randomisation", show=progress):
            _forget([child for _, child in order[begin:end]], mix(seed, "randomisation", begin))
            begin = end
            maps = explain(model, images, first.goal, methods, first.layer, adapter=adapter)
            for name, values in maps.items():
                similarity[name].append(rank_correlation(values.abs(), first[name].abs()))
    return Cascade(tuple(order[end - 1][0] for end in ends), {name: torch.stack(v) for name, v in similarity.items()})


def _learning(network: Network) -> list[tuple[str, nn.Module]]:
    """Return the modules that learn, by name, from the output to the input (in the order of their definition)."""
    if network.module is None:
        raise ValueError("expected an nn.Module whose weights can be forgotten, got another callable; try the module")
    modules = {"": network.module} | named_layers(network.module)
    order = [(name, child) for name, child in modules.items() if any(True for _ in child.parameters(recurse=False))]
    if not order:
        kind = type(network.module).__name__
        raise ValueError(f"expected a model with parameters, got {kind} without any; try another model")
    return order[::-1]


@contextmanager
def _scratch(module: nn.Module | None) -> Iterator[None]:
    """Put copies in the place of all parameters: the originals are not even written to."""
    owners = [] if module is None else [(child, dict(child._parameters)) for child in module.modules()]
    with torch.inference_mode(False):
        parameters = [] if module is None else list(module.parameters())
        copies = {id(p): nn.Parameter(p.detach().clone(), p.requires_grad) for p in parameters}
    try:
        for child, originals in owners:
            child._parameters.update({name: None if p is None else copies[id(p)] for name, p in originals.items()})
        yield
    finally:
        for child, originals in owners:
            child._parameters.clear()
            child._parameters.update(originals)


def _forget(modules: list[nn.Module], seed: int) -> None:
    """Draw the modules' own parameters anew from normal distributions of the same mean and spread."""
    with torch.inference_mode(False), torch.no_grad():
        for number, module in enumerate(modules):
            for place, values in enumerate(module.parameters(recurse=False)):
                seeds = torch.tensor([mix(seed, number, place)], device=values.device)
                exact = values.float()
                drawn = normal(seeds, values.shape)[0] * exact.std(correction=0) + exact.mean()
                values.copy_(drawn.to(values.dtype))
