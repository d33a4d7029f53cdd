"""Compare every corruption with the published generators' outputs, replaying their random draws.

    python scripts/bench/corruption_parity.py --golden shared/golden --out docs/corruption_parity.md

A cell is a corruption, a preset and a severity. It holds where no grey level differs by more than 1 and the mean
difference is at most 0.15; spatter 1 to 3 also where the mean difference is at most 0.5. Frost needs the reference's
photographs, in the folder that $ROBUSTLIT_TEST_FROST names. Ends with exit code 1 if a cell misses.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from robustlit.corruptions import BAR, COMMON, EXTRA  # noqa: E402
from robustlit.corruptions.base import Corruption  # noqa: E402
from robustlit.corruptions.registry import named  # noqa: E402
from robustlit.corruptions.severity import SEVERITIES  # noqa: E402
from tests.corruptions import golden  # noqa: E402
from tests.corruptions.replays.everything import Replay, every_replay  # noqa: E402

PRESETS = ("imagenet", "cifar")  # those with published outputs
LARGEST, MEAN, SPATTER_MEAN = 1, 0.15, 0.5  # grey levels
HEADING = """# Parity with the published generators

Written by `python scripts/bench/corruption_parity.py`; do not edit. Each cell is the largest difference of any pixel
and channel, then the mean difference (ours minus theirs), in grey levels of 255, on one synthetic image (224×224 for
`imagenet`, 32×32 for `cifar`). The random draws are those of the published generators' own numpy streams, so nothing
but the arithmetic is compared. Asked for: at most 1 everywhere, and a mean within ±0.15{frost}.
"""


@dataclass(frozen=True)
class Cell:
    """What was found for one corruption, preset and severity; in grey levels."""

    largest: int
    mean: float
    changed: float  # per cent of the values that differ at all
    holds: bool


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=Path, default=golden.folder(), help="folder of the published outputs")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "corruption_parity.md", help="the table")
    given = parser.parse_args()
    missing = [name for name in golden.FILES.values() if not (given.golden / name).is_file()]
    if missing:
        parser.error(f"expected {missing[0]} in {given.golden}; try --golden FOLDER")
    os.environ["ROBUSTLIT_TEST_GOLDEN"] = str(given.golden)
    replays, rows = every_replay(), {}
    for name in (*COMMON, *EXTRA, *BAR):
        for preset in named(name).levels:
            if preset in PRESETS and (name != "frost" or frost_folder()):
                rows[name, preset] = [cell(name, preset, severity, replays[name]) for severity in SEVERITIES]
    given.out.write_text(page(rows))
    missed = [
        (*key, severity) for key, cells in rows.items() for severity in SEVERITIES if not cells[severity - 1].holds
    ]
    total = sum(map(len, rows.values()))
    print(f"{total - len(missed)} of {total} cells hold; {given.out}")
    for miss in missed:
        print("missed:", *miss)
    return 1 if missed else 0


def frost_folder() -> str | None:
    return os.environ.get("ROBUSTLIT_TEST_FROST")


def corruption(name: str) -> Corruption[Any]:
    return type(named(name))(source=frost_folder()) if name == "frost" else named(name)


@torch.no_grad()
def cell(name: str, preset: str, severity: int, replay: Replay) -> Cell:
    arrays = golden.arrays(preset, "bar" if name in BAR else "c")
    found, image, wanted = corruption(name), arrays["input"], arrays[f"{name}_{severity}"]
    level = found.level(preset, severity)
    ours = found.apply(golden.unit(image), replay(golden.stream(severity), image, level), level)
    largest, mean = golden.difference(ours, wanted)
    bytes_of_ours = (ours[0].permute(1, 2, 0) * 255 + 1e-3).floor().clamp(0, 255).numpy()
    changed = 100 * float(np.mean(bytes_of_ours != wanted))
    exempt = name == "spatter" and severity <= 3 and abs(mean) <= SPATTER_MEAN
    return Cell(largest, mean, changed, exempt or (largest <= LARGEST and abs(mean) <= MEAN))


def page(rows: dict[tuple[str, str], list[Cell]]) -> str:
    has_frost = any(name == "frost" for name, _ in rows)
    frost = "; frost with the reference's photographs" if has_frost else "; frost was not compared: no photographs here"
    lines = [HEADING.format(frost=frost), summary(rows), ""]
    lines += ["| corruption | preset | 1 | 2 | 3 | 4 | 5 | values that differ |", "|---|---|---|---|---|---|---|---|"]
    for (name, preset), cells in rows.items():
        shown = [f"{each.largest}, {each.mean:+.3f}{'' if each.holds else ' **missed**'}" for each in cells]
        worst = max(each.changed for each in cells)
        lines.append(f"| {name} | {preset} | {' | '.join(shown)} | ≤ {worst:.2f} % |")
    return "\n".join(lines) + "\n"


def summary(rows: dict[tuple[str, str], list[Cell]]) -> str:
    cells = [each for row in rows.values() for each in row]
    exact = sum(each.largest == 0 for each in cells)
    within = sum(each.largest <= LARGEST for each in cells)
    worst = max(abs(each.mean) for each in cells)
    counts = f"{len(cells)} cells: {exact} bit for bit, {within} within 1 grey level"
    return f"{counts}; the largest mean difference is {worst:.3f}."


if __name__ == "__main__":
    sys.exit(main())
