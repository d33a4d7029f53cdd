import csv

import pytest
import torch
from callbacks_helpers import Foreign, fit

from robustlit.callbacks import LastCheckpoint, MetricsCSV, StepSeed, Throughput


def table(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


class LogsLast(Foreign):
    """Logs in the module's own hook, which Lightning calls after the callbacks' hooks."""

    def on_train_epoch_end(self):
        self.log("train/late", float(self.current_epoch))


def test_one_row_an_epoch_with_the_values_of_the_trainer(tmp_path):
    trainer, _ = fit(tmp_path, [MetricsCSV()], epochs=2)
    rows = table(tmp_path)
    assert [(row["epoch"], row["step"]) for row in rows] == [("0", "3"), ("1", "6")]
    assert list(rows[0]) == ["epoch", "step", "train/loss", "val/loss"]  # not train/loss_step and train/loss_epoch
    for key in ("train/loss", "val/loss"):
        assert float(rows[1][key]) == pytest.approx(float(trainer.callback_metrics[key]), rel=1e-6)


def test_a_cell_is_empty_where_the_epoch_did_not_log_the_key(tmp_path):
    fit(tmp_path, [MetricsCSV()], module=Foreign(log_every=2, scores=(0, 0.7, 0, 0.5)), epochs=4)
    assert [row["robust/mean"] for row in table(tmp_path)] == ["", "0.7", "", "0.5"]


def test_a_resumed_table_equals_the_unbroken_one(tmp_path):
    def callbacks():
        return [StepSeed(), MetricsCSV(), LastCheckpoint()]

    def run(name, epochs, callbacks, ckpt_path=None):
        torch.manual_seed(1)
        fit(tmp_path / name, callbacks, module=LogsLast(), epochs=epochs, ckpt_path=ckpt_path)

    last = tmp_path / "b/checkpoints/last.ckpt"
    run("a", 3, callbacks())
    run("b", 1, callbacks())
    run("b", 2, [StepSeed(), MetricsCSV()], last)
    run("b", 3, callbacks(), last)  # epoch 1 once more
    assert (tmp_path / "a/metrics.csv").read_text() == (tmp_path / "b/metrics.csv").read_text()


@pytest.mark.parametrize("saving", [[], [LastCheckpoint()]])
def test_what_the_module_logs_at_the_end_of_the_epoch_is_in_its_row(tmp_path, saving):
    fit(tmp_path, [*saving, MetricsCSV()], module=LogsLast(), epochs=3, enable_checkpointing=bool(saving))
    assert [row["train/late"] for row in table(tmp_path)] == ["0", "1", "2"]


def test_a_callback_that_logs_after_it_is_in_the_row(tmp_path):
    fit(tmp_path, [MetricsCSV(), Throughput()], epochs=2)
    assert all(float(row["cost/epoch_seconds"]) > 0 for row in table(tmp_path))


def test_the_row_is_there_before_the_checkpoint(tmp_path):
    class Saving(LastCheckpoint):
        rows = ()

        def _save_checkpoint(self, trainer, filepath):
            super()._save_checkpoint(trainer, filepath)
            self.rows += (len(table(tmp_path)),)

    last = Saving()
    fit(tmp_path, [last, MetricsCSV()], module=LogsLast(), epochs=2)
    assert last.rows == (1, 2)


def test_a_new_run_does_not_keep_rows_of_another(tmp_path):
    fit(tmp_path, [MetricsCSV()], epochs=3)
    fit(tmp_path, [MetricsCSV()], epochs=1)
    assert [row["epoch"] for row in table(tmp_path)] == ["0"]


def test_fast_dev_run_writes_nothing(tmp_path):
    fit(tmp_path, [MetricsCSV()], fast_dev_run=True)
    assert not (tmp_path / "metrics.csv").exists()


def test_nan_stays_visible(tmp_path):
    fit(tmp_path, [MetricsCSV()], module=Foreign(scores=(float("nan"),)), epochs=1)
    assert torch.isnan(torch.tensor(float(table(tmp_path)[0]["robust/mean"])))
