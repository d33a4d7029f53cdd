import torch
from torch.testing import assert_close

from robustlit.explanations import explain
from tests.explanations.networks import Linear, PixelDetector


def test_a_linear_models_saliency_is_its_largest_weight() -> None:
    weight = torch.randn(4, 3, 6, 7)
    maps = explain(Linear(weight), torch.rand(2, 3, 6, 7), target=torch.tensor([3, 1]), methods="saliency")
    assert_close(maps["saliency"], weight[[3, 1]].abs().amax(1))


def test_a_one_pixel_detector_lights_one_pixel() -> None:
    maps = explain(PixelDetector(2, 4), torch.rand(1, 3, 5, 6), target=1, methods="saliency")["saliency"]
    assert maps.nonzero().tolist() == [[0, 2, 4]]
    assert maps[0, 2, 4] == 1
