import pytest
import torch
from torch.testing import assert_close

from robustlit.explanations import mask_energy


def test_shares() -> None:
    maps = torch.ones(3, 4, 4)
    maps[1, :2] = -5.0
    maps[2] = 0
    masks = torch.zeros(3, 4, 4, dtype=torch.int64)
    masks[:, 1:, 0] = 1
    found = mask_energy(maps, masks)
    assert_close(found[:2], torch.tensor([3 / 16, 2 / 8]))
    assert found[2].isnan()


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="expected maps and masks N×H×W of one shape"):
        mask_energy(torch.zeros(1, 2, 2), torch.zeros(2, 2, 2))
