"""CPU time of the corruption test with and without what it keeps for reports, in turns in one process."""

import statistics
import tempfile
import time
import warnings
from typing import Any

import pytorch_lightning as pl
import torch

from robustlit.data import ShapesDataModule
from robustlit.evaluation import CorruptionTest
from robustlit.evaluation.corrupted.worst_pictures import WorstPictures
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.models import small_cnn
from robustlit.modules import ClassificationModule

TURNS, IMAGES = 6, 300


def main() -> None:
    """Print the median of each, and their ratio."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    sizes = {"train_size": 100, "val_size": 100, "test_size": 400, "image_size": 32}
    quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    kept: Any = (Outcomes.add, WorstPictures.keep)
    times: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        data = ShapesDataModule(cache_dir=folder, num_workers=0, batch_size=64, **sizes)
        data.prepare_data()
        data.setup("fit")
        data.test_sets = {"iid": data.test_sets["iid"]}
        module = ClassificationModule(small_cnn(num_classes=10), num_classes=10)
        trainer = pl.Trainer(accelerator="cpu", **quiet)
        for turn in range(TURNS + 1):
            for keeping in (True, False):
                nothing: Any = lambda *_: None  # noqa: E731
                Outcomes.add, WorstPictures.keep = kept if keeping else (nothing, nothing)  # type: ignore[method-assign]
                start = time.process_time()
                CorruptionTest(["extra"], images=IMAGES).run(module, data, trainer)
                if turn:
                    times[keeping].append(time.process_time() - start)
    with_records, without = (statistics.median(times[keeping]) for keeping in (True, False))
    print(f"with records {with_records:.2f} s, without {without:.2f} s, {with_records - without:.2f} s more")


if __name__ == "__main__":
    main()
