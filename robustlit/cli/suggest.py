"""Hydra's many-line complaints about a configuration, as one line with the nearest match."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import islice, pairwise
from pathlib import Path

from hydra.errors import HydraException, MissingConfigException, OverrideParseException

from robustlit.cli.errors import UserError
from robustlit.cli.list_groups import joined

__all__ = ["composition_line", "config_dirs", "flags_first", "groups", "parted"]

FLAGS = {  # Hydra's, and whether a value follows
    "--multirun": False,
    "-m": False,
    "--resolve": False,
    "--hydra-help": False,
    "--cfg": True,
    "-c": True,
    "--package": True,
    "-p": True,
    "--config-dir": True,
    "-cd": True,
    "--info": True,
    "-i": True,
}


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
    if isinstance(error, MissingConfigException) and "/" in (error.missing_cfg_file or ""):
        group, _, option = str(error.missing_cfg_file).rpartition("/")
        options = list(error.options or groups(folder).get(group, []))
        return f"unknown {group} {option!r}; {_nearest(option, options)}"
    key = re.search(r"Could not (?:override|delete from config\.?) '([^']+)'", str(error))
    if key:
        wrong = key[1].partition("@")[0]
        known = [*_keys(folder, name, arguments, key[1]), *groups(folder)]
        return f"unknown key {wrong!r}; {_nearest(wrong, known, show_all=False)}"
    return " ".join(str(error).split())


def flags_first(arguments: Sequence[str]) -> list[str]:
    """Put Hydra's flags before the overrides: its parser, and Lightning's launcher, need them there.

    Raises:
        UserError: If there is no such flag.

    Example:
        >>> flags_first(["seed=1", "--config-dir", "mine", "-m"])
        ['--config-dir', 'mine', '-m', 'seed=1']
    """
    flags: list[str] = []
    overrides: list[str] = []
    words = iter(arguments)
    for word in words:
        name = word.partition("=")[0]
        if not word.startswith("-"):
            overrides.append(word)
        elif name not in FLAGS:
            near = get_close_matches(name, FLAGS, n=1, cutoff=0.8)
            hint = f"did you mean {near[0]!r}?" if near else "settings are written KEY=VALUE, without dashes"
            raise UserError(f"unknown option {name!r}; {hint}")
        else:
            flags.append(word)
            if FLAGS[name] and "=" not in word:
                flags.extend(islice(words, 1))
    return [*flags, *overrides]


def parted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part settings and flags from what has no key. A path whose name has an equals sign is no setting.

    Example:
        >>> parted(["runs/a", "seed=1", "--config-dir", "mine"])
        (['seed=1', '--config-dir', 'mine'], ['runs/a'])
    """
    words: list[str] = []
    plain: list[str] = []
    for word in arguments:
        belongs_to_flag = bool(words) and FLAGS.get(words[-1], False)
        setting = word.startswith("-") or belongs_to_flag or ("=" in word and not Path(word).exists())
        (words if setting else plain).append(word)
    return words, plain


def groups(folder: Path) -> dict[str, list[str]]:
    """Return the options of every configuration group in a folder, by group."""
    found = {
        path.name: sorted(option.stem for option in path.glob("*.yaml"))
        for path in sorted(folder.iterdir())
        if path.is_dir()
    }
    return {group: options for group, options in found.items() if options}


def _nearest(wrong: str, known: list[str], show_all: bool = True) -> str:
    section, _, last = wrong.rpartition(".")
    near = [key for key in known if key.rpartition(".")[2] == last]  # the right key in another section, or in none
    beside = [key for key in known if key.rpartition(".")[0] == section]
    near = near or get_close_matches(wrong, beside, n=1) or get_close_matches(wrong, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "try 'robustlit train --cfg job' to see every key"
    return f"{hint} (there are: {', '.join(known)})" if show_all else hint


def _keys(folder: Path, name: str, arguments: Sequence[str], wrong: str) -> list[str]:
    """Every key of the configuration as the user chose it, without the override that failed."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    typed = [word for word in arguments if "=" in word and word.lstrip("+~").partition("=")[0] != wrong]
    of_group = [word for word in typed if word.lstrip("+").partition("=")[0] in groups(folder)]
    choices = joined([word for word in of_group if "," not in re.sub(r"\[.*?\]", "", word)])  # those of no sweep
    extra = [f"hydra.searchpath=[file://{Path(place).resolve()}]" for place in config_dirs(arguments)]
    for overrides in ([*choices, *extra], extra):
        try:
            with initialize_config_dir(str(folder), version_base="1.3"):
                cfg = compose(name, overrides=overrides)
        except HydraException:
            continue
        return list(_flat(OmegaConf.to_container(cfg), ""))
    return []


def config_dirs(arguments: Sequence[str]) -> list[str]:
    """The user's own folder of options, where one is given."""
    after = [second for first, second in pairwise(arguments) if first in ("--config-dir", "-cd")]
    return after + [word.partition("=")[2] for word in arguments if word.startswith("--config-dir=")]


def _flat(node: object, prefix: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _flat(value, f"{prefix}{key}.")
