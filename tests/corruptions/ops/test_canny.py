import numpy as np
import pytest
import torch

from robustlit.corruptions.ops.canny import canny
from robustlit.corruptions.ops.gaussian import gaussian_blur


@pytest.mark.parametrize(("low", "high"), [(50, 150), (100, 300)])
def test_equals_opencv_where_edges_are_followed_to_their_end(low, high, monkeypatch):
    monkeypatch.setattr("robustlit.corruptions.ops.canny._FOLLOWED", 200)
    cv2 = pytest.importorskip("cv2")
    smooth = gaussian_blur(torch.rand(6, 1, 60, 81), 2.0)[:, 0]
    islands = ((smooth - 0.5) * 8).clamp(0, 1).mul(255).floor()
    expected = np.stack([cv2.Canny(plane.byte().numpy(), low, high) > 0 for plane in islands])
    assert expected.mean() > 0.03
    assert torch.equal(canny(islands, low, high), torch.from_numpy(expected))


def test_a_step_has_one_line_of_edges_and_a_flat_image_none():
    step = torch.zeros(1, 16, 16)
    step[..., 8:] = 200
    edges = canny(step, 50, 150)
    assert int(edges.sum()) == 16
    assert len(edges[0].nonzero()[:, 1].unique()) == 1
    assert not canny(torch.full((1, 16, 16), 90.0), 50, 150).any()


def test_weak_edges_count_only_beside_strong_ones():
    step = torch.zeros(2, 16, 16)
    step[0, :, 8:] = 25  # gradient 100, weak
    step[1, :, 8:] = 25
    step[1, :4, 8:] = 60
    edges = canny(step, 50, 150)
    assert not edges[0].any()
    assert bool(edges[1, 4:10].any(1).all())


def test_edges_of_drops_need_not_be_followed_farther():
    cv2 = pytest.importorskip("cv2")
    smooth = gaussian_blur(torch.randn(20, 1, 96, 96) * 0.3 + 0.65, 2.0)[:, 0]
    drops = torch.where(smooth > 0.68, smooth * 255, 0).floor().clamp(max=255)
    expected = np.stack([cv2.Canny(plane.byte().numpy(), 50, 150) > 0 for plane in drops])
    assert torch.equal(canny(drops, 50, 150), torch.from_numpy(expected))
