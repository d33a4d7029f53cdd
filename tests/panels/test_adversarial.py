import numpy as np
import pytest
import torch

from robustlit.panels.adversarial import Answer, adversarial_masks, adversarial_panel, shown_change
from robustlit.panels.eps_curve import eps_curve
from robustlit.panels.text import GREEN, RED


def colors(picture):
    return {tuple(color) for color in picture.reshape(-1, 3).tolist()}


def attacked(count=10, size=32, eps=8 / 255):
    clean = torch.rand(count, 3, size, size) * 0.5 + 0.25
    return clean, clean + eps * torch.randn_like(clean).sign()


def panel(count=10, right=(True, False)):
    clean, changed = attacked(count)
    before, after = ([Answer("dog", 0.9, is_right)] * count for is_right in right)
    return adversarial_panel(clean, changed, ["dog"] * count, before, after, "title", "note")


def test_the_change_is_as_strong_as_it_can_be_shown_and_its_factor_is_told():
    shown, factor = shown_change(*attacked())
    assert factor == 16
    assert sorted({round(value, 2) for value in shown.unique().tolist()}) == [0.0, 1.0]
    same = torch.rand(1, 3, 4, 4)
    shown, factor = shown_change(same, same)
    assert (shown == 0.5).all()
    assert factor == 1


def test_a_row_an_image_and_no_more_than_eight():
    heights = [panel(count).shape[0] for count in (1, 2, 8, 10)]
    assert heights[1] > heights[0]
    assert heights[2] == heights[3]
    assert 350 <= panel().shape[1] <= 700


def test_answers_are_green_where_right_and_red_where_wrong():
    assert GREEN in colors(panel(1, (True, True)))
    assert RED not in colors(panel(1, (True, True)))
    assert GREEN not in colors(panel(1, (False, False)))


def test_masks_tell_the_share_that_an_attack_turned():
    clean, changed = attacked(2, 64)
    masks = torch.zeros(2, 64, 64, dtype=torch.int64)
    masks[:, :8] = 255
    same = adversarial_masks(clean, changed, masks, masks.where(masks != 255, 0), masks.where(masks != 255, 0), 3, 255)
    other = adversarial_masks(clean, changed, masks, masks.where(masks != 255, 0), torch.ones_like(masks), 3, 255)
    assert same.shape == other.shape
    assert (same != other).any()


def test_a_curve_falls_to_the_right_and_more_curves_are_dashed():
    one = eps_curve({"now": {0: 0.9, 4 / 255: 0.5, 8 / 255: 0.1}}, title="title", note="note")
    two = eps_curve({"now": {0: 0.9, 8 / 255: 0.1}, "first": {0: 0.5, 8 / 255: 0.4}}, title="title", note="note")
    blue = (one[..., 2].astype(int) - one[..., 0] > 90) & (np.arange(one.shape[0])[:, None] > 60)
    rows = [np.nonzero(blue[:, column])[0].mean() for column in (60, 160, 300)]
    assert rows[0] < rows[1] < rows[2]
    assert one.shape[1] == two.shape[1] <= 360


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="at least one image"):
        panel(0)
    with pytest.raises(ValueError, match="above 0"):
        eps_curve({"now": {0: 0.5}})
