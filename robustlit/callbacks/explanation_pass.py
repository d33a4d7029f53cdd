"""What explanation callbacks see of a validation pass: probe images, the worst mistakes, and some images corrupted."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor

from robustlit.callbacks.budget import BudgetedEvaluation
from robustlit.callbacks.cost import log_cost
from robustlit.callbacks.explanation_listener import Listener
from robustlit.callbacks.explanation_share import TimeShare
from robustlit.core import Adapter, private
from robustlit.corruptions.corrupt import AnyCorruption
from robustlit.corruptions.severity import Severity
from robustlit.evaluation.corrupted.cells import Conditions, cells_of
from robustlit.evaluation.passes.balanced import Balanced, Found, groups_of
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.looking import first_loader, looking
from robustlit.evaluation.passes.mistakes import Worst, flipped, mistakes
from robustlit.evaluation.passes.selection import Selection
from robustlit.evaluation.passes.visiting import from_all_processes

__all__ = ["ExplanationPass", "Seen"]

_SHARDED = (FSDPStrategy, DeepSpeedStrategy, ModelParallelStrategy)
Thing = TypeVar("Thing")


@dataclass
class Seen:
    """What one pass brought, of all processes, on the CPU.

    Args:
        probe: The probe images; None where the loader had none.
        masks: Masks of probe images by id, H×W, where the batches of a classification have them.
        failures: The most confident mistakes, the worst first: ``images``, ``targets``, ``ids``, ``score``; may be
            empty.
        flips: Images that a corruption turned into mistakes: also ``changed`` images and their ``cell``.
    """

    probe: Chunk | None
    masks: dict[int, Tensor] = field(default_factory=dict)
    failures: dict[str, Tensor] = field(default_factory=dict)
    flips: dict[str, Tensor] = field(default_factory=dict)


class ExplanationPass(BudgetedEvaluation):
    """Base of the callbacks that explain: gathers what is worth explaining while validation or test goes on.

    The logits of the mistakes are those of the module's own step, heard by a forward hook; where the step does not call
    the module, or is compiled, the batch is looked at once more. Whatever goes wrong is one warning, and training goes
    on. Subclasses write ``draw``, which the first process calls.

    Args:
        count: Probe images, and failures and flips that are kept, 1 to 64.
        images: How many images are corrupted in search of flips, chosen by a hash of their index.
        corruptions: Names, corruptions or functions; may be empty.
        severity: 1 to 5.
        every_n_epochs: In fit, look after every so many epochs.
        max_share: The largest share of the run's time; None for no limit.
        seed: Which probe images, and the draws of the corruptions.
        batch_size: Images a forward; None for as many as the loader's batches have.
        adapter: How to read the batch and the model.

    Raises:
        ValueError: For unknown names or numbers out of range.
    """

    def __init__(
        self,
        count: int,
        images: int | None,
        corruptions: Sequence[AnyCorruption],
        severity: Severity,
        every_n_epochs: int,
        max_share: float | None,
        seed: int,
        batch_size: int | None,
        adapter: Adapter | None,
    ) -> None:
        super().__init__(images, every_n_epochs, batch_size, adapter)
        if not 1 <= count <= 64:
            raise ValueError(f"expected from 1 to 64 probe images, got {count}; try count=8")
        self.count = count
        self.cells = cells_of(corruptions, [severity])
        self.conditions = Conditions(seed=seed)
        self.seed = seed
        self.share = TimeShare(max_share)
        self._probes: dict[str, tuple[Chunk | None, dict[int, Tensor]]] = {}
        self._balanced: Balanced | None = None
        self._masks: dict[int, Tensor] = {}
        self._failures, self._flips = Worst(count), Worst(count)
        self._everything = Selection(None)
        self._listener = Listener(adapter)
        self._figures: dict[str, float] | None = None
        self._told: set[str] = set()
        self._off = self._unfit = False

    @abstractmethod
    def draw(self, trainer: pl.Trainer, pl_module: pl.LightningModule, seen: Seen) -> dict[str, float]:
        """Show what was seen, and return figures to log; called in the first process."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Choose the probe images anew in every fit, and begin to count time."""
        self._probes = {}
        self.share.start()

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Switch off where the first process has not the whole model."""
        super().setup(trainer, pl_module, stage)
        self._off = isinstance(trainer.strategy, _SHARDED)
        if self._off:
            strategy = type(trainer.strategy).__name__
            self._tell(f"expected a model that is whole on every device, got {strategy}; try strategy='ddp'")

    def begin(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen to the module."""
        # an image may flip in every cell and is shown once
        self._failures, self._flips = Worst(self.count), Worst(self.count * max(1, len(self.cells)))
        self._balanced = None if self._stage(trainer) in self._probes else Balanced(self.count, self.seed)
        self._masks, self._figures, self._unfit = {}, None, False
        self._everything.begin(first_loader(trainer.test_dataloaders if trainer.testing else trainer.val_dataloaders))
        self._listener.start(pl_module)

    def on_validation_batch_start(self, *args: Any, **kwargs: Any) -> None:
        """Forget what was heard between the batches."""
        self._listener.forget()

    def on_test_batch_start(self, *args: Any, **kwargs: Any) -> None:
        """Do as in validation."""
        self._listener.forget()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep what is worth explaining; after the last batch explain it."""
        if self._gathering is None or dataloader_idx != 0:
            return
        with self.share.spending():
            with self._watch.running(pl_module.device):
                self._try(lambda: self._watch_batch(trainer, pl_module, batch))
            try:
                super().on_validation_batch_end(trainer, pl_module, outputs, batch, batch_idx)
            except (ValueError, TypeError) as error:  # images that are not in [0, 1], say
                self._unfit = True
                self._tell(_line(error))
            counts = trainer.num_test_batches if trainer.testing else trainer.num_val_batches
            if trainer.world_size == 1 and batch_idx + 1 == counts[0]:
                with self._watch.running(pl_module.device):  # now, while weights that are averaged are in the module
                    for chunk in self._gathering.rest():
                        self.look(trainer, pl_module, chunk)
                    self._figures = self._conclude(trainer, pl_module)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Explain, where that has not been done yet, and log."""
        if self._gathering is None:
            return
        with self.share.spending():
            super().on_validation_epoch_end(trainer, pl_module)
        if trainer.state.fn == "fit":
            log_cost(pl_module, self.cost_key.replace("_seconds", "_share"), self.share.value)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave nothing on the module."""
        super().on_exception(trainer, pl_module, exception)
        self._listener.stop()

    def look(self, trainer: pl.Trainer, pl_module: pl.LightningModule, chunk: Chunk) -> None:
        """Corrupt some images, and keep those that became mistakes."""
        self._try(lambda: self._corrupt(trainer, pl_module, chunk))

    def finish(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log what the first process found, in all of them."""
        figures = self._conclude(trainer, pl_module) if self._figures is None else self._figures
        for key, value in figures.items():
            # the processes agree; the largest of equal numbers is that number to the last bit
            pl_module.log(f"{self.prefix(trainer)}{key}", value, sync_dist=True, reduce_fx="max")

    def _begin(self, trainer: pl.Trainer, *others: Any) -> None:
        """Begin, unless time is short; the first process decides."""
        due = trainer.state.fn != "fit" or self.share.allows()
        if trainer.world_size > 1:
            due = trainer.strategy.broadcast(due)
        if due and not self._off:
            super()._begin(trainer, *others)

    def _conclude(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, float]:
        """Bring together what the processes have seen, and let the first one draw."""
        self._listener.stop()
        stage = self._stage(trainer)
        own: Found | None = None if self._balanced is None else self._balanced.found
        mistaken, turned = self._try(self._failures.found) or {}, self._try(self._flips.found) or {}
        parts = from_all_processes(trainer, (own, self._masks, mistaken, turned, self._unfit))
        if self._balanced is not None:
            self._balanced.merge(found for found, *_ in parts if found is not None and found is not own)
            masks = {key: mask for part in parts for key, mask in part[1].items()}
            self._probes[stage] = (self._try(self._balanced.chosen), masks)
        figures: dict[str, float] = {}
        if trainer.is_global_zero and not any(unfit for *_, unfit in parts):
            probe, masks = self._probes[stage]
            failures, flips = (
                Worst.merged(each, self.count) for each in zip(*(part[2:4] for part in parts), strict=True)
            )
            if probe is None:
                self._tell("expected validation images for the probe, got none; try a larger limit_val_batches")
            with torch.inference_mode(False), torch.no_grad():
                drawn = self._try(lambda: self.draw(trainer, pl_module, Seen(probe, masks, failures, flips)))
            figures = drawn or {}
        return trainer.strategy.broadcast(figures) if trainer.world_size > 1 else figures

    def _watch_batch(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any) -> None:
        """Rank the mistakes of a batch, and take probe images out of it."""
        adapter = self.adapter_of(pl_module)
        positions, ids = self._everything.choose(adapter, batch)
        with torch.inference_mode(False), torch.no_grad():
            images, targets = adapter.images(batch), adapter.targets(batch)
            chosen = private(positions)
            chunk = Chunk(images[chosen], targets[chosen], private(ids))
            if not len(chunk):
                return
            if self._balanced is not None:
                self._balanced.add(chunk, groups_of(chunk.targets, adapter.ignore_index))
                self._keep_masks(batch, chunk, chosen)
            logits = self._logits(trainer, pl_module, adapter, batch, images)
            scores = mistakes(adapter, logits[chosen], chunk.targets)
            self._failures.add(scores, {"images": chunk.images, "targets": chunk.targets, "ids": chunk.ids})

    def _corrupt(self, trainer: pl.Trainer, pl_module: pl.LightningModule, chunk: Chunk) -> None:
        adapter = self.adapter_of(pl_module)
        with looking(trainer, pl_module, adapter) as predict:
            clean = predict(chunk.images) if self.cells else None
            for place, cell in enumerate(self.cells):
                if clean is None:
                    break
                changed, _ = self.conditions.make(cell, chunk.images, chunk.targets, chunk.ids)
                scores = flipped(adapter, clean, predict(changed), chunk.targets)
                cells = torch.full_like(chunk.ids, place)
                entries = {"images": chunk.images, "targets": chunk.targets, "ids": chunk.ids}
                self._flips.add(scores, {**entries, "changed": changed, "cell": cells})

    def _logits(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, adapter: Adapter, batch: Any, images: Tensor
    ) -> Tensor:
        """Return the logits of the module's own step where they were heard, else look at the batch again."""
        heard = self._listener.logits(batch)
        if heard is not None:
            return heard
        with looking(trainer, pl_module, adapter) as predict:
            return predict(private(images))

    def _keep_masks(self, batch: Any, chunk: Chunk, positions: Tensor) -> None:
        """Keep the masks of the probe images of a classification, where batches have them."""
        masks = batch.get("mask") if isinstance(batch, Mapping) else None
        if not isinstance(masks, Tensor) or masks.ndim != 3 or chunk.targets.ndim > 2 or self._balanced is None:
            return
        kept = {int(sample.ids) for samples in self._balanced.found.values() for _, sample in samples}
        own = {key: place for place, key in enumerate(chunk.ids.tolist()) if key in kept}
        found = {key: private(masks[int(positions[place])]).cpu() for key, place in own.items()}
        self._masks = {key: mask for key, mask in {**self._masks, **found}.items() if key in kept}

    def _stage(self, trainer: pl.Trainer) -> str:
        return "test" if trainer.testing else "val"

    def _try(self, work: Callable[[], Thing]) -> Thing | None:
        """Do something that must not end the training; what goes wrong is told."""
        try:
            return work()
        except Exception as error:
            self._tell(_line(error))
            return None

    def _tell(self, message: str) -> None:
        """Warn, of the same thing once."""
        if message not in self._told:
            self._told.add(message)
            rank_zero_warn(f"{type(self).__name__}: {message}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
