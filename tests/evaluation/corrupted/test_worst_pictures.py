"""Which cells and which images are drawn as those that break a model."""

import math

import torch

from robustlit.evaluation.corrupted.cells import cells_of
from robustlit.evaluation.corrupted.worst_pictures import KEPT, WorstPictures, worst_of_each
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.metrics.cells import CellScore
from tests.tiny import trainer


def test_the_lowest_cell_of_each_of_the_lowest_corruptions():
    cells = cells_of(["fog", "contrast", "brightness", "saturate", "gaussian_blur"], (1, 5))
    values = [0.5, 0.3, 0.9, 0.8, math.nan, 0.6, 0.2, math.nan, 0.7, 0.4]
    scores = {cell.key: CellScore(value, 9, 0.0, 1.0) for cell, value in zip(cells, values, strict=True)}
    found = [cell.key for cell in worst_of_each(cells, scores)]
    assert found == [("saturate", 1), ("fog", 5), ("gaussian_blur", 5), ("brightness", 5)]
    assert worst_of_each(cells, {cells[0].key: CellScore(math.nan, 9, 0.0, 1.0)}) == []


def test_images_are_of_the_whole_split_whatever_its_order_and_batches():
    images = torch.arange(1000.0).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    split = Chunk(images, torch.arange(1000) // 100, torch.arange(1000))  # sorted by class
    kept = []
    for size in (64, 300):
        pictures = WorstPictures()
        for start in range(0, 1000, size):
            pictures.keep(trainer([]), split[start : start + size])
            pictures.keep(trainer([]), Chunk(torch.rand(9, 3, 8, 8), torch.zeros(9).long(), torch.arange(9)))
        kept.append(pictures._chunk)
    assert len(kept[0]) == KEPT and set(kept[0].targets.tolist()) == set(range(10))
    assert torch.equal(kept[0].images[:, 0, 0, 0].long(), kept[0].ids)
    assert torch.equal(kept[0].ids, kept[1].ids)
