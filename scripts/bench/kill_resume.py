"""Kill a small run at random moments, resume it, and compare its final weights with those of the unbroken run.

    python scripts/bench/kill_resume.py --kills 10 --workers 0

Prints one line a kill and ends with exit code 1 if any weight differs by a single bit.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from robustlit.reports.table import text_table

SETTINGS = [
    "experiment=quickstart",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=5",
    "data.train_size=1280",
    "data.val_size=100",
    "data.test_size=50",
    "data.batch_size=32",
    "model.width=8",
    "model.dropout=0.2",
    "callbacks.last_checkpoint.every_n_train_steps=7",
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    given = parser.parse_args()
    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as place:
        unbroken = Path(place) / "unbroken"
        start(unbroken, given.workers).wait()
        seconds = json.loads((unbroken / "results.json").read_text())["seconds"]
        lines = [one_kill(Path(place), number, draw, seconds, given.workers) for number in range(given.kills)]
    print(
        text_table(
            ("kill", "seconds into training", "resumed at step", "final weights"),
            lines,
            right=(True, True, True, False),
        )
    )
    return int(any(line[3] != "equal" for line in lines))


def one_kill(place: Path, number: int, draw: random.Random, seconds: float, workers: int) -> tuple[str, str, str, str]:
    """Kill one run, resume it to its end, and say whether it ended where the unbroken one did."""
    folder = place / f"kill-{number}"
    process = start(folder, workers)
    while not list(folder.glob("events.*")):  # training begins; before that there is nothing to lose
        time.sleep(0.01)
    moment = draw.uniform(0, seconds)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    step = str(weights(folder)["global_step"]) if checkpoint(folder).exists() else "0"
    run("train", f"resume={folder}").wait()
    equal = same(weights(folder)["state_dict"], weights(place / "unbroken")["state_dict"])
    whole = "tests" in json.loads((folder / "results.json").read_text())
    return str(number), f"{moment:.1f}", step, "equal" if equal and whole else "DIFFERENT"


def start(folder: Path, workers: int) -> subprocess.Popen[bytes]:
    return run("train", *SETTINGS, f"data.num_workers={workers}", f"hydra.run.dir={folder}")


def run(*arguments: str) -> subprocess.Popen[bytes]:
    """Start robustlit in a process group of its own, so that loader processes die with it."""
    command = [sys.executable, "-m", "robustlit", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def checkpoint(folder: Path) -> Path:
    return folder / "checkpoints" / "last.ckpt"


def weights(folder: Path) -> dict:
    return torch.load(checkpoint(folder), map_location="cpu", weights_only=True)


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


if __name__ == "__main__":
    sys.exit(main())
