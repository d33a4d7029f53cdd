import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from robustlit.explanations import ScoreCAM, explain
from robustlit.explanations.score_cam import channel_masks
from tests.explanations.networks import Pooled


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_it_is_the_algorithm_written_as_a_loop(batch_size: int) -> None:
    model, images = Pooled().eval(), torch.rand(2, 3, 6, 8)
    classes = torch.tensor([2, 0])
    method = ScoreCAM(batch_size=batch_size, progress=False)
    found = explain(model, images, classes, methods=method, layer="act")["score_cam"]
    with torch.no_grad():
        activations = model.norm(model.first(images)).relu()
        for n in range(2):
            scores = []
            for channel in activations[n]:
                mask = (channel - channel.min()) / (channel.max() - channel.min())
                scores.append(model(images[n : n + 1] * mask)[0, classes[n]])
            weights = torch.stack(scores).softmax(0)
            assert_close(found[n], (weights[:, None, None] * activations[n]).sum(0).relu())


def test_masks_fill_the_range_and_constant_ones_are_black() -> None:
    maps = torch.rand(1, 2, 3, 4)
    maps[0, 1] = 0.7
    masks = channel_masks(maps, (9, 8))
    assert masks[0, 0].min() == 0
    assert masks[0, 0].max() == 1
    assert not masks[0, 1].any()
    big = F.interpolate(maps, size=(9, 8), mode="bilinear", align_corners=False)[0, 0]
    assert_close(masks[0, 0], (big - big.min()) / (big.max() - big.min()))


def test_no_batch() -> None:
    with pytest.raises(ValueError, match=r"expected a batch_size of 1 or more, got 0; try"):
        ScoreCAM(batch_size=0)
