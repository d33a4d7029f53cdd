"""Images that are kept for pictures."""

import torch

from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.kept_images import KeptImages


def test_images_are_of_the_whole_split_whatever_its_order_and_batches():
    images = torch.arange(1000.0).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    split = Chunk(images, torch.arange(1000) // 100, torch.arange(1000))  # sorted by class
    found = []
    for size in (32, 300):
        kept = KeptImages(64)
        for start in range(0, 1000, size):
            kept.add(split[start : start + size])
            kept.add(Chunk(torch.rand(9, 3, 8, 8), torch.zeros(9).long(), torch.arange(9)))
        found.append(kept.chunk)
    assert len(found[0]) == 64 and set(found[0].targets.tolist()) == set(range(10))
    assert torch.equal(found[0].images[:, 0, 0, 0].long(), found[0].ids)
    assert torch.equal(found[0].ids, found[1].ids)
