"""What a person sees while tests run: a line when one is over, and until then a bar with its name in a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytorch_lightning as pl
from pytorch_lightning.callbacks.progress.tqdm_progress import Tqdm

__all__ = ["NamedBar", "telling"]


class NamedBar(pl.callbacks.TQDMProgressBar):
    """Lightning's bar, with the name of the test; it goes when it is full. It logs nothing."""

    name = "Testing"

    @property
    def test_description(self) -> str:
        """What stands before the bar."""
        return self.name

    def init_test_tqdm(self) -> Tqdm:
        """Make the bar."""
        bar = super().init_test_tqdm()
        bar.leave = False
        return bar


@contextmanager
def telling(trainer: pl.Trainer, name: str) -> Iterator[None]:
    """Name a test in the Trainer's bar while it runs, and say how long it took; no bars where nobody would see them.

    Args:
        trainer: Runs the test.
        name: Which test, of how many.
    """
    for bar in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(bar, pl.callbacks.ProgressBar) and not sys.stdout.isatty():
            bar.disable()
        elif isinstance(bar, NamedBar):
            bar.name = name
    start = time.perf_counter()
    yield
    if trainer.is_global_zero:
        print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)
