import pytest
import torch
from torch.testing import assert_close

from robustlit.explanations import Occlusion, RegionTarget, explain
from tests.explanations.networks import Dense, Linear, PixelDetector


def test_a_linear_model_loses_what_is_covered() -> None:
    weight, images = torch.randn(2, 3, 6, 9), torch.rand(2, 3, 6, 9)
    method = Occlusion(patch=3, stride=3, value=0.25, progress=False, batch_size=4)
    found = explain(Linear(weight), images, 1, methods=method)["occlusion"]
    lost = (weight[1] * (images - 0.25)).sum(1)
    blocks = torch.nn.functional.avg_pool2d(lost[:, None], 3) * 9
    assert_close(found, blocks.repeat_interleave(3, 2).repeat_interleave(3, 3)[:, 0])


@pytest.mark.parametrize(("patch", "stride"), [(3, 2), (4, 3), (2, 1), (20, 5)])
def test_overlaps_are_averaged_and_every_pixel_is_covered(patch: int, stride: int) -> None:
    image = torch.rand(1, 1, 8, 11)
    found = explain(PixelDetector(4, 6), image, 1, methods=Occlusion(patch, stride, 0.0, progress=False))["occlusion"]
    cover, total = torch.zeros(8, 11), torch.zeros(8, 11)
    rows = [0] if patch >= 8 else range(0, 8 - patch + stride, stride)
    columns = [0] if patch >= 11 else range(0, 11 - patch + stride, stride)
    for y in rows:
        for x in columns:
            cover[y : y + patch, x : x + patch] += 1
            if y <= 4 < y + patch and x <= 6 < x + patch:
                total[y : y + patch, x : x + patch] += image[0, 0, 4, 6]
    assert cover.min() >= 1
    assert_close(found[0], total / cover)


def test_segmentations_and_any_default() -> None:
    maps = explain(Dense(), torch.rand(2, 3, 17, 24), RegionTarget(), methods=Occlusion(progress=False))
    assert maps["occlusion"].shape == (2, 17, 24)
    assert maps["occlusion"].any()


@pytest.mark.parametrize("options", [{"patch": 0}, {"patch": 3, "stride": 4}, {"batch_size": 0}])
def test_options_out_of_range(options: dict) -> None:
    with pytest.raises(ValueError, match=r"expected .* got .*; try"):
        Occlusion(**options)
