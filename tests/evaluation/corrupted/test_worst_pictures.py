"""Which cells are drawn as those that break a model."""

import math

from robustlit.evaluation.corrupted.cells import cells_of
from robustlit.evaluation.corrupted.worst_pictures import worst_of_each
from robustlit.metrics.cells import CellScore


def test_the_lowest_cell_of_each_of_the_lowest_corruptions():
    cells = cells_of(["fog", "contrast", "brightness", "saturate", "gaussian_blur"], (1, 5))
    values = [0.5, 0.3, 0.9, 0.8, math.nan, 0.6, 0.2, math.nan, 0.7, 0.4]
    scores = {cell.key: CellScore(value, 9, 0.0, 1.0) for cell, value in zip(cells, values, strict=True)}
    found = [cell.key for cell in worst_of_each(cells, scores)]
    assert found == [("saturate", 1), ("fog", 5), ("gaussian_blur", 5), ("brightness", 5)]
    assert worst_of_each(cells, {cells[0].key: CellScore(math.nan, 9, 0.0, 1.0)}) == []
