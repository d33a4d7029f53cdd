"""Any of timm's classifiers, by its name."""

from pathlib import Path
from typing import Any

from torch import nn

from robustlit.core.names import unknown_name
from robustlit.models.weights import is_file, load_weights

__all__ = ["timm_classes", "timm_classifier"]


def timm_classifier(
    name: str, *, in_channels: int = 3, num_classes: int, weights: str | Path | None = None, **options: Any
) -> nn.Module:
    """Build one of the classifiers of the package timm for any number of classes and channels.

    timm's weights are for images normalised as ``timm.data.resolve_model_data_config`` tells: give the data or the task
    its ``mean`` and ``std``.

    Args:
        name: timm's name, perhaps with a tag: ``"convnext_tiny"``, ``"vit_small_patch16_224.augreg_in1k"`` …
        in_channels: Channels C of the images, N×C×H×W.
        num_classes: Number of logits.
        weights: None for random weights, ``"DEFAULT"`` for timm's own, which it downloads, or a file.
        options: What else ``timm.create_model`` takes, such as ``drop_path_rate=0.1``.

    Raises:
        ImportError: If timm is not installed.
        ValueError: If the name, the weights or an option does not exist.

    Example:
        >>> network = timm_classifier("resnet18", num_classes=7, in_channels=1)  # doctest: +SKIP
        >>> network.fc.out_features  # doctest: +SKIP
        7
    """
    timm = _timm()
    text = "" if weights is None else str(weights)
    if not timm.is_model(name):
        raise unknown_name("timm classifier", name, timm.list_models() if len(name) < 3 else _like(timm, name))
    if text and text != "DEFAULT" and not is_file(text):
        raise ValueError(f"expected weights DEFAULT or a file, got {text!r}; try model.weights=DEFAULT")
    try:
        network: nn.Module = timm.create_model(
            name, pretrained=text == "DEFAULT", in_chans=in_channels, num_classes=num_classes, **options
        )
    except TypeError as error:
        raise ValueError(f"expected options that {name} has, got {error}; try those of timm.create_model") from error
    except (OSError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"expected timm's weights of {name}, got {reason}; try model.weights=FILE") from error
    if text and text != "DEFAULT":
        load_weights(network, name, text)
    return network


def timm_classes(name: str) -> int | None:
    """Return how many classes timm's own weights of a model are for; None where it has none."""
    timm = _timm()
    known = timm.is_model(name) and timm.models.get_pretrained_cfg(name)
    return int(known.num_classes) if known else None


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise ImportError(
            f"expected the package timm for model=timm, got {error}; try pip install 'robustlit[timm]'"
        ) from error
    return timm


def _like(timm: Any, name: str) -> list[str]:
    """The names near a wrong one: timm has more than a thousand."""
    from difflib import get_close_matches

    return get_close_matches(name, timm.list_models(), n=5, cutoff=0.0)
