"""Asking a module about single images, and gathering the answers of all processes in the order of the images."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.core import Adapter, check_pixels
from robustlit.data.base import VisionDataModule
from robustlit.evaluation.passes.looking import first_loader, looking
from robustlit.evaluation.passes.part import chosen_part
from robustlit.evaluation.passes.selection import Selection
from robustlit.evaluation.passes.standing_in import stand_in
from robustlit.evaluation.passes.visiting import from_all_processes

__all__ = ["Judge", "Judgement", "Predict", "judge_images"]

Predict: TypeAlias = Callable[[Tensor], Tensor]  # images N×C×H×W in [0, 1] -> float32 logits
Judgement: TypeAlias = dict[str, Tensor]
Judge: TypeAlias = Callable[[Predict, Mapping[str, Any]], Judgement]


def judge_images(
    judge: Judge,
    samples: Any,
    module: pl.LightningModule,
    datamodule: VisionDataModule,
    trainer: pl.Trainer,
    images: int | None = None,
) -> Judgement:
    """Ask a module about some images, each once, whatever the number of processes.

    Args:
        judge: A function of the module and of the chosen part of a batch (``image`` N×C×H×W in [0, 1], ``target`` and
            what else the samples carry); it returns tensors whose first axis is N.
        samples: What to look at: items as those of a data module's splits.
        module: The module; left as it was.
        datamodule: Whose batch size and workers are used.
        trainer: Moves the batches and sets the precision.
        images: How many images, chosen by a hash of their index; None for all. No others are read.

    Returns:
        What the judge returned, and ``index`` (int64 N), in ascending order of the index: on the CPU, and the same on
        every process. Empty where there was no image.
    """
    asked = _Asked(judge, module)
    stand_in(asked, {"images": chosen_part(samples, images)}, module, datamodule, trainer)
    parts = [part for part in from_all_processes(trainer, _joined(asked.found)) if part]
    found = _joined(parts)
    if not found:
        return {}
    order = found["index"].argsort(stable=True)
    return {key: value[order] for key, value in found.items()}


class _Asked(pl.LightningModule):
    """Shows the batches of a test loop to a judge, beside a module that is asked."""

    def __init__(self, judge: Judge, module: pl.LightningModule) -> None:
        super().__init__()
        self.module, self.judge = module, judge
        self.adapter = Adapter.for_module(module)
        self.selection = Selection()
        self.found: list[Judgement] = []

    def on_test_epoch_start(self) -> None:
        self.selection.begin(first_loader(self.trainer.test_dataloaders))
        self.found = []

    def test_step(self, batch: Any, batch_idx: int) -> None:
        positions, ids = self.selection.choose(self.adapter, batch)
        if not len(positions):
            return
        images = self.adapter.images(batch)
        if not self.found:
            check_pixels(images)
        chosen = {key: value[positions] for key, value in batch.items() if isinstance(value, Tensor)}
        chosen["image"] = images[positions]
        with looking(self.trainer, self.module, self.adapter) as predict:
            answers = self.judge(predict, chosen)
        self.found.append({"index": ids.cpu(), **{key: value.cpu() for key, value in answers.items()}})


def _joined(parts: list[Judgement]) -> Judgement:
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]} if parts else {}
