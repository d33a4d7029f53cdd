"""Hydra's many-line complaints about a configuration, as one line with the nearest match."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from hydra.errors import HydraException, MissingConfigException, OverrideParseException

__all__ = ["composition_line", "groups"]


def composition_line(error: HydraException, folder: Path, name: str, arguments: Sequence[str]) -> str:
    """Return one line that says what is wrong with the configuration and what was probably meant.

    Args:
        error: What Hydra raised.
        folder: The configuration folder.
        name: The primary configuration.
        arguments: What the user typed after the command.
    """
    if isinstance(error, OverrideParseException):
        return f"cannot read {error.override!r}: expected key=value; try quoting the whole argument ('key=\"a, b\"')"
    if isinstance(error, MissingConfigException) and error.options:
        group, _, option = (error.missing_cfg_file or "").rpartition("/")
        return f"unknown {group} {option!r}; {_nearest(option, list(error.options))}"
    key = re.search(r"Could not (?:override|delete from config\.?) '([^']+)'", str(error))
    if key:
        wrong = key[1].partition("@")[0]
        known = [*_keys(folder, name, arguments, key[1]), *groups(folder)]
        return f"unknown key {wrong!r}; {_nearest(wrong, known, show_all=False)}"
    return " ".join(str(error).split())


def groups(folder: Path) -> dict[str, list[str]]:
    """Return the options of every configuration group in a folder, by group."""
    found = {
        path.name: sorted(option.stem for option in path.glob("*.yaml"))
        for path in sorted(folder.iterdir())
        if path.is_dir()
    }
    return {group: options for group, options in found.items() if options}


def _nearest(wrong: str, known: list[str], show_all: bool = True) -> str:
    near = get_close_matches(wrong, known, n=1, cutoff=0.6)
    if not near:  # a key given without its section: max_epochs for trainer.max_epochs
        near = [key for key in known if key.rpartition(".")[2] == wrong.rpartition(".")[2]][:1]
    hint = f"did you mean {near[0]!r}?" if near else "try 'robustlit train --cfg job' to see every key"
    return f"{hint} (there are: {', '.join(known)})" if show_all else hint


def _keys(folder: Path, name: str, arguments: Sequence[str], wrong: str) -> list[str]:
    """Every key of the configuration as the user chose it, without the override that failed."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    typed = [word for word in arguments if "=" in word and word.lstrip("+~").partition("=")[0] != wrong]
    choices = [word for word in typed if word.partition("=")[0] in groups(folder) and "," not in word]
    for overrides in (choices, []):
        try:
            with initialize_config_dir(str(folder), version_base="1.3"):
                cfg = compose(name, overrides=overrides)
        except HydraException:
            continue
        return list(_flat(OmegaConf.to_container(cfg), ""))
    return []


def _flat(node: object, prefix: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _flat(value, f"{prefix}{key}.")
