import pytest
import torch

from robustlit.explanations import Occlusion, explain
from tests.explanations.networks import PixelDetector


def test_long_methods_show_a_bar_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    images = torch.rand(1, 1, 8, 8)
    explain(PixelDetector(1, 1), images, methods=Occlusion(4, 4, batch_size=1, progress=False))
    assert "occlusion" not in capsys.readouterr().err
    explain(PixelDetector(1, 1), images, methods=Occlusion(4, 4, batch_size=1))
    assert "occlusion" in capsys.readouterr().err
