"""Reading the weights of AdaIN's encoder and decoder from the layouts in which they are passed around."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from robustlit.augmentations.adain.decoder import style_decoder
from robustlit.augmentations.adain.encoder import VGG16_CONVOLUTIONS, VGG19_CONVOLUTIONS, Encoder

__all__ = ["load_decoder", "load_encoder"]

Network = TypeVar("Network", bound=nn.Module)

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the images that torchvision's weights are for


class _Layout(NamedTuple):
    name: str
    numbers: tuple[int, ...]  # of the convolutions
    convolutions: tuple[int, ...]  # in each block
    normalises: bool  # whether the first convolution is the 1×1 one


_ENCODERS = (
    _Layout("vgg_normalised.pth", (0, 2, 5, 9, 12, 16, 19, 22, 25, 29), VGG19_CONVOLUTIONS, True),
    _Layout("torchvision's VGG-19", (0, 2, 5, 7, 10, 12, 14, 16, 19), VGG19_CONVOLUTIONS, False),
    _Layout("torchvision's VGG-16", (0, 2, 5, 7, 10, 12, 14, 17), VGG16_CONVOLUTIONS, False),
)
_DECODER = (1, 5, 8, 11, 14, 18, 21, 25, 28)
_PREFIXES = ("module.", "network.", "decoder.", "features.")


def load_encoder(path: str | Path) -> Encoder:
    """Read an encoder: the published ``vgg_normalised.pth``, or torchvision's VGG-19 or VGG-16.

    Whole networks and trunks alone (keys with or without ``features.``) are read; layers behind relu4_1 are left out.
    torchvision's weights get the normalisation that they were trained with as the 1×1 convolution.

    Args:
        path: A state dict saved with ``torch.save``; it is loaded with ``weights_only=True``.

    Returns:
        The encoder in evaluation mode, its weights frozen.

    Raises:
        ValueError: If the file cannot be read or is of another layout; the message names the keys that were expected.
    """
    state = _read(Path(path), "encoder")
    for layout in _ENCODERS:
        if _matches(state, layout):
            return _frozen(_encoder(state, layout))
    wanted = "; ".join(f"{layout.name} has {_keys(layout.numbers)}" for layout in _ENCODERS)
    raise ValueError(
        f"expected encoder weights in {path} ({wanted}), got {_summary(state)}; try the state dict of one of these"
    )


def load_decoder(path: str | Path) -> nn.Sequential:
    """Read a decoder: a ``decoder.pth``, published or written by ``robustlit train experiment=style_decoder``.

    A Lightning checkpoint of that experiment is read too.

    Args:
        path: A state dict or a checkpoint; it is loaded with ``weights_only=True``.

    Returns:
        The decoder in evaluation mode, its weights frozen.

    Raises:
        ValueError: If the file cannot be read or is of another layout; the message names the keys that were expected.
    """
    state = _read(Path(path), "decoder")
    weights = [state.get(f"{number}.weight") for number in _DECODER]
    if all(weight is not None and weight.ndim == 4 for weight in weights) and _has_biases(state, _DECODER):
        network = style_decoder([weights[position].shape[1] for position in (0, 1, 5, 7)])  # type: ignore[union-attr]
        wanted = network.state_dict()
        if all(state[key].shape == value.shape for key, value in wanted.items()):
            network.load_state_dict({key: state[key] for key in wanted})
            return _frozen(network)
    raise ValueError(
        f"expected decoder weights in {path} (decoder.pth has {_keys(_DECODER)}, of 3×3 convolutions from 512 to 3 "
        f"channels), got {_summary(state)}; try the decoder.pth of robustlit train experiment=style_decoder"
    )


def _encoder(state: Mapping[str, Tensor], layout: _Layout) -> Encoder:
    first = 1 if layout.normalises else 0
    shapes = [state[f"{number}.weight"].shape for number in layout.numbers[first:]]
    starts = [sum(layout.convolutions[:block]) for block in range(4)]
    encoder = Encoder([shapes[start][0] for start in starts], layout.convolutions)
    encoder.normalise_by(_MEAN, _STD)
    with torch.no_grad():
        for layer, number in zip(encoder.convolutions[1 - first :], layout.numbers, strict=True):
            layer.weight.copy_(state[f"{number}.weight"])
            layer.bias.copy_(state[f"{number}.bias"])  # type: ignore[union-attr]
    return encoder


def _matches(state: Mapping[str, Tensor], layout: _Layout) -> bool:
    """Whether a state dict has the convolutions of a layout, each fed by the one before."""
    channels = 3
    for position, number in enumerate(layout.numbers):
        weight = state.get(f"{number}.weight")
        side = 1 if layout.normalises and position == 0 else 3
        if weight is None or weight.ndim != 4 or tuple(weight.shape[1:]) != (channels, side, side):
            return False
        channels = len(weight)
    return _has_biases(state, layout.numbers)


def _has_biases(state: Mapping[str, Tensor], numbers: tuple[int, ...]) -> bool:
    biases = ((state.get(f"{number}.bias"), state[f"{number}.weight"]) for number in numbers)
    return all(bias is not None and bias.shape == weight.shape[:1] for bias, weight in biases)


def _read(path: Path, what: str) -> dict[str, Tensor]:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is no pickle raises errors of many kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"expected a file of {what} weights at {path}, got {reason}; try a state dict saved with torch.save"
        ) from error
    content = content.get("state_dict", content) if isinstance(content, Mapping) else {}
    state = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    for prefix in _PREFIXES:
        inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        state = inner or state
    return state


def _frozen(network: Network) -> Network:
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[no-any-return]


def _keys(numbers: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, numbers))} .weight and .bias"


def _summary(state: Mapping[str, Tensor]) -> str:
    shown = ", ".join(list(state)[:4])
    return f"{len(state)} keys ({shown}, …)" if state else "no tensors"
