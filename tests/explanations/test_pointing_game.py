import pytest
import torch

from robustlit.explanations import pointing_game


def test_the_largest_value_decides() -> None:
    maps = torch.zeros(4, 5, 6)
    maps[0, 1, 1] = 2.0
    maps[0, 4, 4] = 1.0
    maps[1, 4, 4] = 1.0
    maps[3] = -1.0
    maps[3, 1, 1] = -0.5
    masks = torch.zeros(4, 5, 6, dtype=torch.bool)
    masks[:, 0:3, 0:3] = True
    assert pointing_game(maps, masks).tolist() == [True, False, False, True]
    assert pointing_game(maps, masks, tolerance=2).tolist() == [True, True, False, True]
    assert pointing_game(maps, masks, tolerance=1).tolist() == [True, False, False, True]


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="expected maps and masks N×H×W of one shape"):
        pointing_game(torch.zeros(1, 2, 2), torch.zeros(1, 1, 2, 2))
