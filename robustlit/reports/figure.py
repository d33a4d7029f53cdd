"""The picture of a corruption test: a heat map of the cells beside the curves over severities."""

from pathlib import Path

import numpy as np

from robustlit.reports.corruption_blocks import CorruptionBlock, corruption_blocks
from robustlit.reports.corruption_table import provenance_line
from robustlit.reports.results import Results

__all__ = ["write_figures"]

_GAP = 18  # pixels between the two
_MARGIN = 6


def write_figures(results: Results, stem: Path) -> list[Path]:
    """Write ``<stem>_<split>_corruptions.png`` for every split; the checkpoint is in the name where there are several.

    Sets whose cells have no severities are in the table only.

    Args:
        results: The results.
        stem: Path of the result file without its ending.

    Returns:
        The files.
    """
    from PIL import Image

    blocks = [block for block in corruption_blocks(results) if any(any(row) for row in block.cells.values())]
    files = []
    for block, name in zip(blocks, _names(blocks), strict=True):
        path = stem.with_name(f"{stem.name}_{name}_corruptions.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(_picture(block, results)).save(path)
        files.append(path)
    return files


def _names(blocks: list[CorruptionBlock]) -> list[str]:
    """Return a different name for each picture."""
    several = len({block.checkpoints for block in blocks}) > 1
    names = [f"{block.checkpoints[0]}_{block.place}" if several else block.place for block in blocks]
    before = [names[:place].count(name) for place, name in enumerate(names)]
    return [f"{name}-{count + 1}" if count else name for name, count in zip(names, before, strict=True)]


def _picture(block: CorruptionBlock, results: Results) -> np.ndarray:
    from robustlit.panels import heat_map, severity_curves, text_strip

    scores = {label: {s: value for s, value in row.items() if s} for label, row in block.cells.items()}
    title = f"{block.checkpoints[0]} · {block.place} · {block.score}"
    left = heat_map(scores, title)
    right = severity_curves(scores, float("nan") if block.clean is None else block.clean)
    height = max(len(left), len(right))
    sheet = np.concatenate(
        [_tall(left, height), np.full((height, _GAP, 3), 255, np.uint8), _tall(right, height)], axis=1
    )
    lines = [*block.notes, *_broken(provenance_line(block, results).replace("×", "x"), sheet.shape[1] - 2 * _MARGIN)]
    strips = [
        np.pad(text_strip(line, sheet.shape[1] - 6), ((0, 0), (6, 0), (0, 0)), constant_values=255) for line in lines
    ]
    return np.concatenate([sheet, *strips, np.full((_MARGIN, sheet.shape[1], 3), 255, np.uint8)])


def _indented(picture: np.ndarray) -> np.ndarray:
    return np.pad(picture, ((0, 0), (_MARGIN, 0), (0, 0)), constant_values=255)


def _tall(picture: np.ndarray, height: int) -> np.ndarray:
    return np.pad(picture, ((0, height - len(picture)), (0, 0), (0, 0)), constant_values=255)


def _broken(line: str, width: int) -> list[str]:
    """Break a line between its parts."""
    from robustlit.panels.text import text_width

    lines = [""]
    for part in line.split(" · "):
        longer = f"{lines[-1]} · {part}" if lines[-1] else part
        if lines[-1] and text_width(longer) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines
