"""The network that turns features at relu4_1 back into pictures."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from robustlit.augmentations.adain.weights import frozen, has_biases, keys_of, read_state, summary_of

__all__ = ["load_decoder", "style_decoder"]

_NUMBERS = (1, 5, 8, 11, 14, 18, 21, 25, 28)  # of the convolutions


def style_decoder(widths: Sequence[int] = (512, 256, 128, 64), weights: str | Path | None = None) -> nn.Sequential:
    """Build AdaIN's decoder: the mirror image of VGG-19 up to relu4_1, with up-sampling for pooling and no last ReLU.

    Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization" (ICCV 2017), §6.
    The layers are numbered as in the published ``decoder.pth``. Weights are drawn by He et al.'s rule, and the picture
    starts out grey, which saves the first hundreds of steps of a short training.

    Args:
        widths: Channels of the features and after each of the three up-samplings.
        weights: A file to go on from, which :func:`~robustlit.augmentations.adain.load_decoder` reads.

    Returns:
        Features N×512×H×W to pictures N×3×8H×8W, about [0, 1] but not clipped.

    Raises:
        ValueError: If there are not four widths, or the weights cannot be read or are of other widths.

    Example:
        >>> import torch
        >>> style_decoder((16, 8, 4, 4))(torch.rand(1, 16, 2, 3)).shape
        torch.Size([1, 3, 16, 24])
    """
    if len(widths) != 4:
        raise ValueError(f"expected four widths, got {tuple(widths)}; try (512, 256, 128, 64)")
    top, third, second, first = widths
    layers = [
        *_block(top, third),
        nn.Upsample(scale_factor=2, mode="nearest"),
        *_block(third, third),
        *_block(third, third),
        *_block(third, third),
        *_block(third, second),
        nn.Upsample(scale_factor=2, mode="nearest"),
        *_block(second, second),
        *_block(second, first),
        nn.Upsample(scale_factor=2, mode="nearest"),
        *_block(first, first),
        *_block(first, 3)[:-1],
    ]
    _initialise([layer for layer in layers if isinstance(layer, nn.Conv2d)])
    network = nn.Sequential(*layers)
    if weights is not None:
        _fill(network, weights)
    return network


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
    state = read_state(path, "decoder")
    weights = [state.get(f"{number}.weight") for number in _NUMBERS]
    if all(weight is not None and weight.ndim == 4 for weight in weights) and has_biases(state, _NUMBERS):
        network = style_decoder([weights[position].shape[1] for position in (0, 1, 5, 7)])  # type: ignore[union-attr]
        wanted = network.state_dict()
        if all(state[key].shape == value.shape for key, value in wanted.items()):
            network.load_state_dict({key: state[key] for key in wanted})
            return frozen(network)
    raise ValueError(
        f"expected decoder weights in {path} (decoder.pth has {keys_of(_NUMBERS)}, of 3×3 convolutions from 512 to 3 "
        f"channels), got {summary_of(state)}; try the decoder.pth of robustlit train experiment=style_decoder"
    )


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(1), nn.Conv2d(inputs, outputs, 3), nn.ReLU()]


def _fill(network: nn.Sequential, weights: str | Path) -> None:
    state = load_decoder(weights).state_dict()
    wrong = [key for key, value in network.state_dict().items() if state[key].shape != value.shape]
    if wrong:
        raise ValueError(
            f"expected decoder weights of these widths in {weights}, got {wrong[0]} of shape "
            f"{tuple(state[wrong[0]].shape)}; try other widths"
        )
    network.load_state_dict(state)


def _initialise(convolutions: list[nn.Conv2d]) -> None:
    *inner, last = convolutions
    for layer in inner:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    nn.init.normal_(last.weight, std=1e-3)
    nn.init.constant_(last.bias, 0.5)  # type: ignore[arg-type]
