"""``robustlit COMMAND …``: find the command, run it, turn every failure into one line and an exit code."""

import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

from robustlit.cli.errors import UserError, failing, warning_lines
from robustlit.cli.help import COMMANDS, command_help, overview

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The command and its arguments; those of the process when None.

    Returns:
        The exit code: 0, 2 for something the user can put right, 1 for anything unexpected.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else importing it asks the network for a newer release
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    name, *rest = arguments
    if name == "--version":
        name = "version"
    with failing() as outcome, warning_lines():
        if name not in COMMANDS:
            raise UserError(unknown_command(name))
        if "-h" in rest or "--help" in rest:
            print(command_help(name))
        else:
            importlib.import_module(f"robustlit.cli.{name}").command(rest)
    return outcome.code


def unknown_command(name: str) -> str:
    """Return the message for a command that does not exist."""
    near = get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "try 'robustlit --help'"
    return f"unknown command {name!r}; {hint} (there are: {', '.join(COMMANDS)})"
