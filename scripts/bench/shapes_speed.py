"""How fast the shapes data set is on one core: drawing, reading from the cache, and in batches.

Run: python scripts/bench/shapes_speed.py [--count 2000] [--image-size 64]
"""

import argparse
import os
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import torch

from robustlit.data.shapes import ShapesDataModule, ShapesDataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="pictures to time")
    parser.add_argument("--image-size", type=int, default=64, help="side of a picture in pixels")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        print(f"| {options.image_size} px, {options.count:,} pictures, one core | images/s |")
        print("|---|---|")
        for title, seconds in measure(options.count, options.image_size, folder):
            print(f"| {title} | {options.count / seconds:,.0f} |")


def measure(count, image_size, folder):
    """Yield what was timed, and its seconds."""

    def timed(function):
        start = time.perf_counter()
        result = function()
        return time.perf_counter() - start, result

    seconds, data = timed(lambda: ShapesDataset("train", count, image_size=image_size, cache_dir=folder))
    yield "drawn and written to the cache", seconds
    yield (
        "read, the file opened afresh",
        timed(
            lambda: [
                *map(ShapesDataset("train", count, image_size=image_size, cache_dir=folder).__getitem__, range(count))
            ]
        )[0],
    )
    yield "read again", timed(lambda: [*map(data.__getitem__, range(count))])[0]
    module = ShapesDataModule(
        train_size=count, val_size=1, test_size=1, image_size=image_size, cache_dir=folder, num_workers=0
    )
    module.setup("fit")
    seconds, _ = timed(lambda: [module.on_after_batch_transfer(batch, 0) for batch in module.train_dataloader()])
    yield "training batches, shuffled, as float32", seconds


if __name__ == "__main__":
    main()
