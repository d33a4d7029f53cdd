"""What CorruptionEvaluation costs beside the forwards it cannot do without, on real CIFAR-10 validation images.

python scripts/bench/corruption_callback.py cifar10.npz [--images 256] [--rounds 3] [--threads 1] [--no-pictures]
"""

import argparse
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger

from robustlit.callbacks import CorruptionEvaluation
from robustlit.data import CIFAR10
from robustlit.models import resnet18
from robustlit.modules import ClassificationModule
from robustlit.reports.table import text_table

warnings.filterwarnings("ignore")


class Timed(CorruptionEvaluation):
    """Counts its own seconds and forwards."""

    def begin(self, trainer, pl_module):
        """Start from nothing."""
        self.seconds, self.forwards = 0.0, 0
        super().begin(trainer, pl_module)

    def look(self, trainer, pl_module, chunk):
        """Take the time of one batch."""
        begin = time.perf_counter()
        super().look(trainer, pl_module, chunk)
        self.seconds += time.perf_counter() - begin
        self.forwards += len(chunk) * len(self._tally.keys)

    def finish(self, trainer, pl_module):
        """Take the time of figures and pictures."""
        begin = time.perf_counter()
        super().finish(trainer, pl_module)
        self.seconds += time.perf_counter() - begin


def forwards_alone(module, images, count):
    """Seconds of so many forwards in the callback's batches."""
    with torch.inference_mode():
        begin = time.perf_counter()
        for _ in range(count // len(images)):
            module(images)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="cifar10.npz")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--no-pictures", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = CIFAR10(args.data, eval_batch_size=args.images)
    module = ClassificationModule(resnet18(num_classes=10, stem="cifar"), num_classes=10)
    rows, ratios = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.rounds):
            callback = Timed(images=args.images, pictures=not args.no_pictures)
            trainer = pl.Trainer(
                callbacks=[callback],
                logger=TensorBoardLogger(Path(folder), name="", version=str(number)),
                accelerator="cpu",
                enable_progress_bar=False,
                enable_model_summary=False,
                limit_val_batches=1.0,
            )
            trainer.validate(module, datamodule=data, verbose=False)
            module.eval()
            alone = forwards_alone(module, torch.rand(args.images, 3, 32, 32), callback.forwards)
            ratios.append(callback.seconds / alone)
            rows.append(
                (str(number), str(callback.forwards), f"{callback.seconds:.2f}", f"{alone:.2f}", f"{ratios[-1]:.3f}")
            )
    print(text_table(("round", "forwards", "callback s", "forwards s", "ratio"), rows, [False] + [True] * 4))
    print(f"median ratio {statistics.median(ratios):.3f} (asked for: at most 1.3)")


if __name__ == "__main__":
    main()
