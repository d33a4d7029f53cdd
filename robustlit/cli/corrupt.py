"""``robustlit corrupt IN OUT``: write a corrupted set in a published layout."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from robustlit.cli.errors import UserError, blame

if TYPE_CHECKING:
    from robustlit.corruptions import Corruption

__all__ = ["command"]

FAMILIES = {"common": "COMMON", "extra": "EXTRA", "bar_imagenet": "BAR_IMAGENET", "bar_cifar": "BAR_CIFAR"}
FORMATS = ("npy", "png", "jpeg85")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"corrupt: {message}; try 'robustlit corrupt --help'")


def command(arguments: Sequence[str]) -> None:
    """Check the arguments, write the set, and say what was written."""
    given = _parse(arguments)
    if not given.source.exists():
        raise UserError(
            f"expected pictures or an .npz file at {str(given.source)!r}, got nothing there; try another path"
        )
    severities = _severities(given.severity)
    from robustlit.data.corrupted.writing import Plan, write_corrupted

    with blame("corrupt"):
        found = _corruptions(given.corruption, given.family, given.frost)
        plan = Plan(
            tuple(found),
            severities,
            given.preset,
            given.seed,
            given.format,
            given.batch_size,
            given.resize,
            given.crop,
        )
        try:
            images = write_corrupted(given.source, given.out, plan)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("interrupted; try the same line again, it goes on where it stopped") from None
    print(f"{len(plan.cells)} cells of {images:,} images each are in {given.out}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="robustlit corrupt", add_help=False, allow_abbrev=False)
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--corruption", action="append", default=[])
    parser.add_argument("--family", action="append", default=[], choices=FAMILIES)
    parser.add_argument("--severity", default="1,2,3,4,5")
    parser.add_argument("--preset", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--frost")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--resize", type=int)
    parser.add_argument("--crop", type=int)
    known = [option for action in parser._actions for option in action.option_strings]
    for word in arguments:
        option = word.partition("=")[0]
        if option.startswith("--") and option not in known:
            near = get_close_matches(option, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise UserError(f"corrupt: unknown option {option!r}; {hint}")
    return parser.parse_args(list(arguments))


def _severities(text: str) -> tuple[int, ...]:
    words = text.split(",")
    if not all(word.strip() in ("1", "2", "3", "4", "5") for word in words):
        raise UserError(f"corrupt: expected severities from 1 to 5, got {text!r}; try --severity 1,2,3,4,5")
    return tuple(sorted({int(word) for word in words}))


def _corruptions(names: Sequence[str], families: Sequence[str], frost: str | None) -> "list[Corruption]":
    """Return the corruptions of the names and families, each once."""
    import robustlit.corruptions as exports

    wanted = [*names, *(name for family in families for name in getattr(exports, FAMILIES[family]))]
    if not wanted:
        raise UserError("expected corruptions to write, got none; try --corruption fog or --family common")
    if frost is not None and "frost" not in wanted:
        raise UserError(
            "expected --frost beside --corruption frost or --family common, got no frost; try leaving it out"
        )
    return [_resolved(name, frost) for name in dict.fromkeys(wanted)]


def _resolved(name: str, frost: str | None) -> "Corruption":
    from robustlit.corruptions import resolve

    if name == "frost" and frost is not None:
        from robustlit.corruptions.weather.frost import Frost

        return Frost(source=frost)
    return resolve(_imported(name) if ":" in name else name)


def _imported(name: str) -> Any:
    """Return a user's own corruption, named module:attribute; classes are called without arguments."""
    module, _, attribute = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"expected a corruption at {name!r}, got {error}; try module:function") from error
    finally:
        sys.path.pop(0)
    return found() if isinstance(found, type) else found
