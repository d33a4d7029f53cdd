"""The test on images as they are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from robustlit.evaluation.base import Row
from robustlit.evaluation.records import Record

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule

__all__ = ["CleanTest", "rows"]


class CleanTest:
    """Every test metric of the module on every test split, unchanged.

    Accuracies of single-label classification carry the 95 % interval of Wilson (1927); the other metrics are not rates
    over independent samples and carry none.
    """

    name = "clean"

    def __init__(self) -> None:
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return a pattern: which metrics there are, only the module's test step tells."""
        return [f"{self.name}/*"]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Run ``trainer.test`` and return one row a split and metric."""
        self.records = []
        if not datamodule.test_names:
            return []
        self.records = _test(self.name, module, datamodule, trainer)
        metrics = {key: float(value) for key, value in trainer.callback_metrics.items()}
        per_batch = datamodule.eval_batch_size * trainer.world_size
        sizes = {  # fewer than the split has where trainer.limit_test_batches says so
            split: min(len(datamodule.test_sets[split]), int(batches) * per_batch)
            for split, batches in zip(datamodule.test_names, trainer.num_test_batches, strict=True)
        }
        return rows(self.name, metrics, sizes, rates=("accuracy",) if datamodule.task == "classification" else ())


def _test(test: str, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Record]:
    """Run ``trainer.test``; return which images of every split are right."""
    from robustlit.evaluation.passes.answer_listener import AnswerListener
    from robustlit.evaluation.passes.outcomes import Outcomes

    listener = AnswerListener()
    trainer.callbacks.append(listener)  # type: ignore[attr-defined]
    try:
        trainer.test(module, datamodule=datamodule, verbose=False)
    finally:
        listener.stop()
        trainer.callbacks.remove(listener)  # type: ignore[attr-defined]
    records: list[Record] = []
    for split, outcomes in zip(datamodule.test_names, listener.outcomes, strict=False):
        records += (outcomes or Outcomes()).record(test, split, trainer)
    return records


def rows(test: str, metrics: Mapping[str, float], sizes: Mapping[str, int], rates: tuple[str, ...] = ()) -> list[Row]:
    """Turn logged metrics into rows.

    Args:
        test: Name of the test.
        metrics: By key ``test/<split>/<metric>``; other keys are left out.
        sizes: Number of samples of each split; gives the order.
        rates: The metrics that are shares of independent samples and get an interval.

    Example:
        >>> rows("clean", {"test/iid/accuracy": 0.5, "train/loss": 1.0}, {"iid": 100}, rates=("accuracy",))[0].n
        100
    """
    from robustlit.metrics.interval import wilson  # its package imports torch; the command line reads rows without it

    found = []
    for split, n in sizes.items():
        prefix = f"test/{split}/"
        for key, value in metrics.items():
            if key.startswith(prefix):
                metric = key.removeprefix(prefix)
                low, high = wilson(round(value * n), n) if metric in rates else (None, None)
                found.append(Row(test, split, metric, value, low, high, n))
    return found
