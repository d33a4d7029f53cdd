"""``robustlit tensorboard RUNS``: serve runs on this machine, with enough pictures kept for every epoch."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from robustlit.cli.errors import UserError

__all__ = ["command", "server_arguments"]

HOST = "127.0.0.1"
DEFAULT_PORT = 6006
SAMPLES = "images=200,scalars=5000"  # pictures kept for each tag: TensorBoard's own 10 would drop epochs


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"tensorboard: {message}; try 'robustlit tensorboard --help'")


def command(arguments: Sequence[str]) -> None:
    """Print the address and become TensorBoard."""
    parser = _Parser(add_help=False)
    parser.add_argument("runs", nargs="?", type=Path, default=Path("runs"))
    parser.add_argument("--port", type=int)
    given = parser.parse_args(list(arguments))
    _check_runs(given.runs)
    port = _port(given.port)
    print(f"TensorBoard of {given.runs}: http://{HOST}:{port}/ (Ctrl-C stops it)", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "tensorboard.main", *server_arguments(given.runs, port)])


def server_arguments(runs: Path, port: int) -> list[str]:
    """Return TensorBoard's own arguments."""
    return ["--logdir", str(runs), "--host", HOST, "--port", str(port), "--samples_per_plugin", SAMPLES]


def _check_runs(runs: Path) -> None:
    if not runs.is_dir():
        raise UserError(f"expected a folder of runs, got {str(runs)!r}, which does not exist; try the folder 'runs'")
    if next(runs.rglob("events.out.tfevents.*"), None) is None:
        raise UserError(f"expected TensorBoard events below {str(runs)!r}, got none; try 'robustlit train' first")


def _port(wanted: int | None) -> int:
    """Return the wanted port, or the usual one, or a free one where the usual one is taken."""
    if wanted is not None:
        if not 1 <= wanted <= 65535:
            raise UserError(f"expected a port from 1 to 65535, got {wanted}; try --port {DEFAULT_PORT}")
        if not _is_free(wanted):
            raise UserError(f"expected a free port, got {wanted}, which is taken; try leaving --port out")
        return wanted
    return DEFAULT_PORT if _is_free(DEFAULT_PORT) else _any_free()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # one that was just in use is free, as TensorBoard sees it
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
