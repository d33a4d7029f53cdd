"""Trained weights by torchvision's name or from a file, for a network whose classes or channels may differ."""

import pickle
import re
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from robustlit.core.names import lookup

__all__ = ["first_convolution", "head_name", "is_file", "load_weights", "read_weights"]

_AUXILIARY = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}  # heads used in training only
_FILES = (".pt", ".pth", ".ckpt", ".bin", ".safetensors")
_PREFIXES = ("module.", "network.", "model.")  # of DataParallel, of robustlit's modules, and the usual one in others'


def load_weights(network: nn.Module, name: str, weights: str | Path) -> None:
    """Copy trained weights into a network, except for a head or a first convolution of another shape.

    Weights for another number of channels are averaged over them, so a grey image gets the response it had in colour.

    Args:
        network: The network to fill, in place.
        name: torchvision's name of the model, whose weights are looked up.
        weights: A name such as ``"DEFAULT"`` or ``"IMAGENET1K_V1"``, downloaded and cached by torchvision, or a file:
            a state dict or a Lightning checkpoint, loaded with ``weights_only=True``.

    Raises:
        ValueError: If there are no such weights, they cannot be downloaded or read, or belong to another model, or to
            one of 3 channels only.
    """
    text = str(weights)
    by_file = is_file(text)
    found = read_weights(Path(text)) if by_file else _from_torchvision(name, text)
    if not by_file and not getattr(network, "transform_input", True):
        raise ValueError(
            f"expected a network that rescales 3 channels for the weights {text} of {name}, got one that does not; "
            "try model.in_channels=3, or another model"
        )
    own = network.state_dict()
    found = {
        key: value for key, value in own.items() if key.endswith("num_batches_tracked")
    } | found  # old ones lack it
    head = head_name(network) + "."
    first = next((f"{name}.weight" for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)), "")
    for key in own.keys() & found.keys():
        if own[key].shape == found[key].shape:
            continue
        if key == first and own[key].shape[2:] == found[key].shape[2:] and len(own[key]) == len(found[key]):
            channels = own[key].shape[1]
            found[key] = found[key].sum(1, keepdim=True).expand_as(own[key]) / channels
        elif key == first or key.startswith(head):
            found[key] = own[key]
    _fill(network, found, f"weights of {name}", text)


def first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    """Return the name and the module of the convolution that sees the image.

    Raises:
        ValueError: If the network has no convolution.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, module
    raise ValueError(f"expected a network with a convolution, got {type(network).__name__}; try a convolutional one")


def head_name(network: nn.Module) -> str:
    """Return the name of the layer that computes the logits: the last one that is linear or a convolution, or ""."""
    layers = (nn.Linear, nn.Conv2d)
    names: list[str] = [name for name, module in network.named_modules() if isinstance(module, layers)]
    return names[-1] if names else ""


def _from_torchvision(name: str, weights: str) -> dict[str, Tensor]:
    known = torchvision.models.get_model_weights(name).__members__
    choice = lookup(f"set of weights of {name}, or a file", weights, known)
    try:
        state: dict[str, Tensor] = choice.get_state_dict(check_hash=True)
    except (OSError, RuntimeError) as error:
        raise ValueError(
            f"expected to download the weights {weights} of {name}, got {error}; try model.weights=FILE"
        ) from error
    return {_present_key(key): value for key, value in state.items() if not key.startswith(_AUXILIARY.get(name, ()))}


def _present_key(key: str) -> str:
    """Return the name that an entry has today: DenseNet's weights are from before ``norm.1`` became ``norm1``."""
    return re.sub(r"(denselayer\d+\.\w+)\.(\d)", r"\1\2", key)


def is_file(weights: str) -> bool:
    """Whether this is meant as a file rather than as one of torchvision's names.

    Example:
        >>> is_file("lost.pt"), is_file("DEFAULT")
        (True, False)
    """
    return weights.endswith(_FILES) or Path(weights).exists()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the state dict in a file, also that of a Lightning checkpoint, without the usual prefixes.

    Raises:
        ValueError: If the file is missing or holds something else.
    """
    try:
        content = _read_file(path)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise _unreadable(path, str(error).partition("\n")[0] or type(error).__name__) from error
    if not isinstance(content, dict):
        raise _unreadable(path, f"a {type(content).__name__}")
    content = content.get("state_dict", content)
    if isinstance(content.get("model"), dict):  # of many published training scripts
        content = content["model"]
    for prefix in _PREFIXES:
        inner = {key.removeprefix(prefix): value for key, value in content.items() if key.startswith(prefix)}
        content = inner or content
    return dict(content)


def _read_file(path: Path) -> Any:
    if path.suffix != ".safetensors":
        return torch.load(path, map_location="cpu", weights_only=True)
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError(
            f"expected the package safetensors to read {path}, got {error}; try pip install 'robustlit[timm]'"
        ) from error
    return load_file(path)


def _fill(network: nn.Module, state: dict[str, Tensor], what: str, source: str) -> None:
    own = network.state_dict()
    wrong = list(own.keys() ^ state.keys())
    wrong += [key for key in own.keys() & state.keys() if own[key].shape != state[key].shape]
    if wrong:
        raise ValueError(
            f"expected {what}, got {source} where {len(wrong)} entries do not fit ({sorted(wrong)[0]!r} is one); "
            "try the model that they were saved from"
        )
    own.update(state)  # in the network's own container, which carries the versions of its layers
    network.load_state_dict(own)


def _unreadable(path: Path, reason: str) -> ValueError:
    return ValueError(f"expected a file of weights at {path}, got {reason}; try a state dict saved with torch.save")
