"""What an operation was made with: its constructor's arguments, as an object's or as plain values for files."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

__all__ = ["plain_settings", "rebuilt", "settings_of"]

_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def settings_of(thing: Any) -> dict[str, Any]:
    """Return the constructor's arguments of an operation or region, read from attributes of the same names.

    A constructor that hands ``**others`` on has the arguments of its base class too.
    """
    found: dict[str, Any] = {}
    for owner in type(thing).__mro__:
        if "__init__" not in vars(owner):
            continue
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]  # type: ignore[misc]
        found |= {
            each.name: getattr(thing, each.name)
            for each in parameters
            if each.kind in _KINDS and each.name not in found
        }
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in parameters):
            break
    return found


def plain_settings(thing: Any) -> dict[str, Any]:
    """Return settings that JSON and YAML can hold: regions as ``{"region": name, …}``, paths as text, ranges as lists.

    Raises:
        ValueError: If a setting has no such form, as tensors and networks have not.
    """
    return {name: _plain(name, value) for name, value in thing.settings().items()}


def rebuilt(name: str, settings: Mapping[str, Any]) -> Any:
    """Make the operation or region that plain settings are of.

    Args:
        name: Of the class, as ``robustlit.augmentations`` exports it.
        settings: From :func:`plain_settings`.

    Raises:
        ValueError: If there is no such class; the message has the nearest name.

    Example:
        >>> from robustlit.augmentations import PatchGaussian
        >>> rebuilt("PatchGaussian", plain_settings(PatchGaussian(8)))
        PatchGaussian(patch_size=8, max_sigma=1.0, p=1.0)
    """
    import robustlit.augmentations as exports
    from robustlit.core.names import lookup

    made = lookup("augmentation", name, {each: getattr(exports, each) for each in exports.__all__})
    return made(**{key: _thing(value) for key, value in settings.items()})


def _thing(value: Any) -> Any:
    if isinstance(value, Mapping) and "region" in value:
        return rebuilt(value["region"], {key: each for key, each in value.items() if key != "region"})
    return tuple(value) if isinstance(value, list) else value


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(name, each) for each in value]
    if hasattr(value, "cells") and hasattr(value, "settings"):
        return {"region": type(value).__name__, **plain_settings(value)}
    what = "a tensor" if isinstance(value, Tensor) else type(value).__name__
    raise ValueError(f"expected {name} that a file can hold, got {what}; try the path of a folder or file")
