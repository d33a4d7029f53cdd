"""Reading the answers of a module's own test step, without a forward of our own."""

from typing import Any

import pytorch_lightning as pl
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from robustlit.core import Adapter
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.evaluation.passes.selection import Selection
from robustlit.metrics.cells import CLEAN

__all__ = ["AnswerListener"]


class AnswerListener(pl.Callback):
    """Notes which images of every split a module gets right while ``trainer.test`` runs.

    The logits are those that the module itself returned last in a step; of a split where a step does not call the
    module, nothing is kept.
    """

    def __init__(self) -> None:
        self.outcomes: list[Outcomes | None] = []
        self._selections: list[Selection] = []
        self._hook: RemovableHandle | None = None
        self._output: Any = None

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen."""
        loaders = trainer.test_dataloaders
        loaders = list(loaders) if isinstance(loaders, list | tuple) else [loaders]
        self.outcomes = [Outcomes() for _ in loaders]
        self._selections = [Selection() for _ in loaders]
        for selection, loader in zip(self._selections, loaders, strict=True):
            selection.begin(loader)
        self.adapter = Adapter.for_module(pl_module)
        self._hook = pl_module.register_forward_hook(self._listen)

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Note the answers to a batch."""
        output, self._output = self._output, None
        outcomes = self.outcomes[dataloader_idx]
        if outcomes is None:
            return
        positions, ids = self._selections[dataloader_idx].choose(self.adapter, batch)
        logits, targets = None if output is None else self._logits(output), self.adapter.targets(batch)
        if logits is None or len(logits) != len(targets):
            self.outcomes[dataloader_idx] = None
            return
        outcomes.begin(ids)
        task = self.adapter.task_of(targets, logits)
        outcomes.add(CLEAN, logits[positions], targets[positions], task, self.adapter.ignore_index)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen no more."""
        self.stop()

    def stop(self) -> None:
        """Take the hook away, also after an error."""
        if self._hook is not None:
            self._hook.remove()
        self._hook, self._output = None, None

    def _listen(self, module: Any, inputs: Any, output: Any) -> None:
        self._output = output

    def _logits(self, output: Any) -> Tensor | None:
        try:
            return self.adapter.logits_of(output)
        except (TypeError, ValueError):
            return None
