"""ShapeBiasTest: decisions that are known by hand, the 16 categories of ImageNet's classes, and the shapes data set."""

import numpy as np
import pytest
import torch
from torch import nn

from robustlit.data.imagenet import SIXTEEN, WNIDS
from robustlit.data.shapes import ShapesDataModule
from robustlit.evaluation import ShapeBiasTest
from robustlit.evaluation.behaviour.shape_bias_scores import categories_of, category_scores
from robustlit.metrics import wilson
from robustlit.modules import ClassificationModule
from tests.evaluation.other_sets import by_red, folder, opened, picture, values
from tests.tiny import trainer

BEAR, CAT, CAR = (WNIDS.index(SIXTEEN[name][0]) for name in ("bear", "cat", "car"))


@pytest.fixture
def imagenet(tmp_path):
    return folder(tmp_path / "own", {WNIDS[0]: [0]}, class_names="imagenet")


def conflicts(root, said):
    """Write cue-conflict images whose red is the class that the model says."""
    for name, red in said.items():
        picture(root / name.partition("-")[0].rstrip("0123456789") / f"{name}.png", red)
    return root


def test_the_mean_over_the_members_decides_and_not_the_largest_class():
    members = ((0,), (1, 2), (3, 4, 5))
    logits = torch.tensor([0.30, 0.50, 0.02, 0.06, 0.06, 0.06]).log()[None]
    assert category_scores(logits, members)[0].tolist() == pytest.approx([0.30, 0.26, 0.06])
    sixteen = categories_of(WNIDS, 1000)
    assert sixteen.names == tuple(sorted(SIXTEEN))
    probabilities = torch.rand(5, 1000, generator=torch.Generator().manual_seed(0)).softmax(1)
    by_hand = np.stack([probabilities[:, list(each)].numpy().mean(1) for each in sixteen.members], 1)
    assert np.allclose(category_scores(probabilities.log(), sixteen.members).numpy(), by_hand, atol=1e-8)


def test_shape_bias_by_hand(imagenet, tmp_path):
    """Of red at most 255, so bears (294) and cars (436) are out of reach: those are said by a table of own classes."""
    own = folder(tmp_path / "four", {"bear": [0], "car": [1], "cat": [2], "dog": [3]})
    said = {
        "bear1-cat2": 0,  # shape
        "bear3-car10": 1,  # texture
        "cat1-bear1": 2,  # shape
        "cat2-dog7": 2,  # shape
        "car2-dog1": 0,  # neither
        "dog1-dog2": 3,  # one category: left out
    }
    root = conflicts(tmp_path / "cue-conflict", said)
    table = {name: name for name in own.class_names}
    test = ShapeBiasTest(root, mapping=table)
    rows = test.run(by_red(4), own, trainer([]))
    assert values(rows) == {"shape_bias": 0.75, "shape": 0.6, "texture": 0.2}
    assert [row.n for row in rows] == [4, 5, 5]
    assert (rows[0].low, rows[0].high) == wilson(3, 4)
    assert (rows[0].conditions["left_out_images"], rows[0].conditions["undecided"]) == (1, 1)
    assert rows[0].conditions["set"] == "cue-conflict"
    assert {f"{row.test}/{row.metric}" for row in rows} == set(test.expects(own))
    (slices,) = [record.data for record in test.records if record.kind == "slices"]
    assert dict(zip(slices["name"], slices["value"], strict=True)) == {"bear": 0.5, "cat": 1.0}
    (shown,) = [record.data for record in test.records if record.kind == "picture"]
    assert shown["caption"] == "bear with the texture of car: taken for the texture"


class OneOfAThousand(nn.Module):
    """Says bear for dark pictures and cat for bright ones."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        bright = (images.mean((1, 2, 3)) > 0.25).long()
        logits = torch.zeros(len(images), 1000) + 0 * self.unused
        logits[torch.arange(len(images)), torch.tensor([BEAR, CAT])[bright]] = 9.0
        return logits


def test_a_model_of_a_thousand_classes_decides_between_sixteen(imagenet, tmp_path):
    root = conflicts(tmp_path / "cue-conflict", {"bear1-cat1": 20, "cat1-bear2": 20, "cat3-bear4": 20})
    picture(root / "bear" / "bear7-cat2.png", 255, green=255)
    module = ClassificationModule(OneOfAThousand(), num_classes=1000, mean=[0.0] * 3, std=[1.0] * 3)
    rows = ShapeBiasTest(root).run(module, imagenet, trainer([]))
    assert values(rows) == {"shape_bias": 0.25, "shape": 0.25, "texture": 0.75}
    assert rows[0].conditions["rule"] == "mean probability of the classes"


def test_the_shapes_data_set_carries_its_own_conflicts(tmp_path):
    class ByTexture(nn.Module):
        """Right on half of the pictures, for the texture on the others, by their place in the batch."""

        def __init__(self):
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, images):
            return torch.zeros(len(images), 10) + 0 * self.unused

    data = opened(ShapesDataModule(train_size=10, val_size=10, test_size=40, image_size=16, cache_dir=tmp_path))
    module = ClassificationModule(ByTexture(), num_classes=10, mean=[0.5] * 3, std=[0.5] * 3)
    rows = ShapeBiasTest().run(module, data, trainer([]))  # class 0 is said of every picture
    records = data.test_sets["cue_conflict"].source.records
    shape, texture = (int((records[name] == 0).sum()) for name in ("shape", "texture"))
    assert texture > 0
    assert {row.split for row in rows} == {"cue_conflict"}
    assert values(rows)["shape_bias"] == shape / (shape + texture)
    assert values(rows)["texture"] == texture / 40


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cat/cat1.png", "expected a file shape1-texture2.png of two of the categories airplane, bear, bicycle"),
        ("cat/cat1-cow2.png", "expected a file shape1-texture2.png"),
        ("dog/cat1-dog2.png", "in the folder of its shape, got "),
    ],
)
def test_names_that_tell_no_conflict_are_one_line(name, message, imagenet, tmp_path):
    picture(tmp_path / "cues" / "bear" / "bear1-cat1.png", 0)
    picture(tmp_path / "cues" / name, 0)
    with pytest.raises(ValueError, match=message) as error:
        ShapeBiasTest(tmp_path / "cues").expects(imagenet)
    assert "\n" not in str(error.value)


def test_other_data_are_one_line(tmp_path):
    own = folder(tmp_path / "own", {"a": [0], "b": [1]})
    with pytest.raises(ValueError, match="expected a test split cue_conflict whose samples carry their texture"):
        ShapeBiasTest().expects(own)
    with pytest.raises(ValueError, match="expected a model of ImageNet's classes, got one of 2 others"):
        ShapeBiasTest(tmp_path).expects(own)
