"""Compare what our random draws do to an image with what the published generators' draws do, draw by draw.

    python scripts/bench/corruption_statistics.py --preset cifar --draws 96

For every random corruption, preset and severity: the mean of |corrupted - clean|, its standard deviation over draws,
and the power of the change in eight rings of the spectrum. Ours come from the counter-based generator, theirs from
numpy streams replayed into the same arithmetic, whose parity `corruption_parity.py` shows. A figure holds where the two
differ by at most 5 % or 4 standard errors, whichever is larger; "worst" is the largest difference as a share of that.
Frost needs $ROBUSTLIT_TEST_FROST. Ends with exit code 1 if a cell misses.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from robustlit.corruptions import BAR, COMMON, EXTRA
from robustlit.corruptions.base import Corruption, Level
from robustlit.corruptions.corrupt import draw_seeds
from robustlit.corruptions.pixels import truncate
from robustlit.corruptions.registry import named
from robustlit.corruptions.severity import SEVERITIES
from robustlit.reports.table import text_table
from tests.corruptions import golden
from tests.corruptions.replays.everything import Replay, every_replay

RINGS = 8
SHARE, ERRORS = 0.05, 4.0  # of the reference's figure; of the standard error of the difference
FEWEST = 48
HEADER = ("corruption", "preset", "severity", "change", "reference", "sd", "reference", "ring off by", "worst", "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=("imagenet", "cifar"), action="append", help="both unless given")
    parser.add_argument("--corruption", action="append", help="a name; every random one unless given")
    parser.add_argument("--draws", type=int, default=FEWEST, help="of each kind, a cell")
    parser.add_argument("--seed", type=int, default=0, help="of both kinds of draws")
    given = parser.parse_args()
    if given.draws < FEWEST:
        parser.error(f"expected at least {FEWEST} draws, got {given.draws}; try --draws {FEWEST}")
    if missing := [name for name in golden.FILES.values() if not (golden.folder() / name).is_file()]:
        parser.error(f"expected {missing[0]} in {golden.folder()}, got none; try $ROBUSTLIT_TEST_GOLDEN=FOLDER")
    torch.set_num_threads(1)
    replays, lines, start = every_replay(), [], time.monotonic()
    for name in given.corruption or (*COMMON, *EXTRA, *BAR):
        if name == "frost" and "ROBUSTLIT_TEST_FROST" not in os.environ:
            print("frost is left out: no photographs, as $ROBUSTLIT_TEST_FROST names no folder")
            continue
        for preset in given.preset or ("imagenet", "cifar"):
            if preset in named(name).levels and is_random(corruption(name)):
                lines += [line(name, preset, severity, replays[name], given) for severity in SEVERITIES]
    print(text_table(HEADER, lines, right=[False, False, *[True] * 7, False]))
    missed = sum(cells[-1] != "" for cells in lines)
    seconds = time.monotonic() - start
    print(f"{len(lines) - missed} of {len(lines)} cells hold, with {given.draws} draws each; {seconds:.0f} s")
    return 1 if missed else 0


def corruption(name: str) -> Corruption[Any]:
    return type(named(name))(source=os.environ["ROBUSTLIT_TEST_FROST"]) if name == "frost" else named(name)


def is_random(found: Corruption[Any]) -> bool:
    level = next(iter(found.levels.values()))[0]
    return bool(fields(found.sample(torch.Size((1, 3, 32, 32)), torch.tensor([1]), level)))


def line(name: str, preset: str, severity: int, replay: Replay, given: argparse.Namespace) -> tuple[str, ...]:
    """One row of the table."""
    found, image = corruption(name), golden.arrays(preset, "bar" if name in BAR else "c")["input"]
    level, clean = found.level(preset, severity), golden.unit(image)
    shape = torch.Size((1, *clean.shape[1:]))
    seeds = draw_seeds(found, severity, given.seed, torch.empty(given.draws))
    ours = figures(found, clean, (found.sample(shape, seed[None], level) for seed in seeds), level)
    first = 1_000_000 * (10 * given.seed + severity)
    streams = (np.random.RandomState(first + number) for number in range(given.draws))
    theirs = figures(found, clean, (replay(stream, image, level) for stream in streams), level)
    excess, ours_mean, theirs_mean = compare_means(ours, theirs)
    spread, ours_sd, theirs_sd = compare_spreads(ours[:, 0], theirs[:, 0])
    rings = (ours_mean[1:] / theirs_mean[1:].clamp(min=1e-12) - 1).abs().max()
    worst = max(float(excess.max()), spread)
    return (
        *(name, preset, str(severity)),
        *(f"{value:.3f}" for value in (float(ours_mean[0]), float(theirs_mean[0]), ours_sd, theirs_sd)),
        *(f"{100 * float(rings):.1f} %", f"{worst:.2f}"),
        "" if worst <= 1 else "missed",
    )


@torch.no_grad()
def figures(found: Corruption[Any], clean: Tensor, draws: Iterable[Any], level: Level) -> Tensor:
    """One row a draw: mean |corrupted - clean| in grey levels, then the power of the change in each ring; float64."""
    return torch.stack([figures_of(truncate(found.apply(clean, drawn, level)) - truncate(clean)) for drawn in draws])


def figures_of(change: Tensor) -> Tensor:
    levels = change[0].double() * 255
    power = torch.fft.fft2(levels).abs().square().mean(0) / levels[0].numel()
    down, right = (torch.fft.fftfreq(n, dtype=torch.float64) for n in levels.shape[1:])
    ring = (torch.hypot(down[:, None], right) * (2 * RINGS)).long().clamp(max=RINGS - 1).flatten()
    sums = torch.zeros(RINGS, dtype=torch.float64).index_add_(0, ring, power.flatten())
    return torch.cat((levels.abs().mean()[None], sums / torch.bincount(ring, minlength=RINGS)))


def compare_means(ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Difference of the means as a share of what is allowed, for each figure, and the two means."""
    count = len(ours)
    error = ((ours.var(0) + theirs.var(0)) / count).sqrt()
    allowed = torch.maximum(SHARE * theirs.mean(0).abs(), ERRORS * error)
    return (ours.mean(0) - theirs.mean(0)).abs() / allowed.clamp(min=1e-9), ours.mean(0), theirs.mean(0)


def compare_spreads(ours: Tensor, theirs: Tensor) -> tuple[float, float, float]:
    """Likewise for the standard deviations over draws."""
    (first, first_error), (second, second_error) = spread(ours), spread(theirs)
    allowed = max(SHARE * second, ERRORS * math.hypot(first_error, second_error))
    return abs(first - second) / max(allowed, 1e-9), first, second


def spread(values: Tensor) -> tuple[float, float]:
    """Standard deviation and its standard error, by leaving out one draw at a time (jackknife)."""
    count = len(values)
    without = torch.stack([torch.cat((values[:i], values[i + 1 :])).std() for i in range(count)])
    return float(values.std()), float(((count - 1) / count * (without - without.mean()).square().sum()).sqrt())


if __name__ == "__main__":
    sys.exit(main())
