"""Runs the statistical tests in one or two processes and saves their rows; run by a test."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pytorch_lightning as pl
import torch

from robustlit.evaluation import CalibrationTest, OODTest, OperatingPointTest, SlicesTest
from tests.evaluation.answer_sets import classes, classifier, masks, segmenter


def run_all(folder: Path, trainer: pl.Trainer):
    table = folder / f"meta{trainer.global_rank}.csv"
    table.write_text("index,site\n" + "".join(f"{place},{'xyz'[place % 3]}\n" for place in range(23)))
    data, module = classes(folder / f"set{trainer.global_rank}.npz", count=45), classifier(3)
    tests = [
        CalibrationTest(["fog"], severities=[2]),
        OODTest(images=19),
        OperatingPointTest(),
        SlicesTest(table, min_n=2),
    ]
    found = [(test.run(module, data, trainer), test.records) for test in tests]
    data = masks(folder / f"masks{trainer.global_rank}")
    test = CalibrationTest([], pixels=50)
    found.append((test.run(segmenter(data), data, trainer), test.records))
    rows = [row for each, _ in found for row in each]
    counts = [record.data.get("count", record.data.get("n")) for _, records in found for record in records]
    return [(row.test, row.metric, row.value, row.low, row.high, row.n) for row in rows], counts


if __name__ == "__main__":
    torch.set_num_threads(1)
    trainer = pl.Trainer(
        logger=False,
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        found = run_all(Path(folder), trainer)
    torch.save(found, f"{sys.argv[1]}{trainer.global_rank}.pt")
