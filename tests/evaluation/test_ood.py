"""OODTest against torchmetrics; foreign sets that are made, and those that are opened."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics import functional as reference

from robustlit.evaluation import OODTest
from robustlit.evaluation.confidence.generated_sets import GENERATED, generate
from robustlit.evaluation.confidence.ood_visitor import fitted
from tests.evaluation.answer_sets import classes, classifier, labels, masks, segmenter, test_images
from tests.tiny import trainer


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return classes(tmp_path_factory.mktemp("arrays") / "set.npz")


def keyed(rows):
    return {row.metric: row for row in rows}


def test_figures_equal_torchmetrics(data):
    module, test = classifier(3), OODTest()
    rows = keyed(test.run(module, data, trainer([])))
    assert {f"ood/{metric}" for metric in rows} == set(test.expects(data))
    images, _, ids = test_images(data)
    with torch.no_grad():
        for name in GENERATED:
            both = torch.cat((module(images), module(generate(name, images, ids))))
            familiar = (torch.arange(len(both)) < len(images)).long()
            scores = {"msp": both.softmax(1).amax(1), "max_logit": both.amax(1), "energy": both.logsumexp(1)}
            for score, values in scores.items():
                values = values.double()
                own = (values - values.min()) / (values.max() - values.min())  # torchmetrics would take a sigmoid
                false_rate, true_rate, _ = reference.roc(own, familiar, task="binary")
                expected = {
                    "auroc": reference.auroc(own, familiar, task="binary"),
                    "aupr_in": reference.average_precision(own, familiar, task="binary"),
                    "aupr_out": reference.average_precision(1 - own, 1 - familiar, task="binary"),
                    "fpr95": false_rate[true_rate >= 0.95].min(),
                }
                for metric, value in expected.items():
                    row = rows[f"{metric}/{score}/{name}"]
                    assert row.value == pytest.approx(float(value), abs=1e-6)
                    assert row.low is None or row.low <= row.value <= row.high
    each = [rows[f"auroc/msp/{name}"].value for name in GENERATED]
    assert rows["auroc"].value == rows["auroc/msp"].value == pytest.approx(sum(each) / 4)
    assert {record.name for record in test.records} == {f"roc_{name}" for name in GENERATED}


def test_neither_batches_nor_order_change_a_figure(data):
    module, test = classifier(3), OODTest(images=13)
    first = test.run(module, data, trainer([]))
    data.eval_batch_size = 3
    assert [(row.metric, row.n) for row in first] == [
        (row.metric, row.n) for row in test.run(module, data, trainer([]))
    ]
    assert [row.value for row in first] == pytest.approx([row.value for row in test.run(module, data, trainer([]))])
    data.eval_batch_size = 8
    assert {row.n for row in first} == {26}


def test_a_folder_and_a_data_module_are_foreign_sets(data, tmp_path):
    (tmp_path / "deep").mkdir()
    for place in range(5):
        size = (40 + place, 30, 3)
        pixels = np.random.default_rng(place).integers(0, 255, size, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "deep" / f"{place}.png")
    grey = tmp_path / "grey.npz"
    images = np.zeros((7, 12, 12), np.uint8)
    np.savez(grey, x_train=images, y_train=np.arange(7), x_test=images, y_test=np.arange(7))
    from robustlit.data import Npz

    against = {"pictures": tmp_path / "deep", "grey": Npz(grey, num_workers=0)}
    test = OODTest(against, generated=[], scores=["energy"])
    rows = keyed(test.run(classifier(3), data, trainer([])))
    assert {f"ood/{metric}" for metric in rows} == set(test.expects(data))
    assert rows["auroc/energy/pictures"].conditions["foreign"] == 5
    assert rows["auroc/energy/grey"].conditions["foreign"] == 7
    with torch.no_grad():
        black = classifier(3)(torch.zeros(7, 3, 16, 16)).logsumexp(1)
        own = classifier(3)(test_images(data)[0]).logsumexp(1)
    wins = (own[:, None] > black).double().mean() + (own[:, None] == black).double().mean() / 2
    assert rows["auroc/energy/grey"].value == pytest.approx(float(wins), abs=1e-6)


@pytest.mark.parametrize("kind", ["labels", "masks"])
def test_labels_and_masks_have_scores_too(kind, tmp_path):
    if kind == "labels":
        data, module = labels(tmp_path / "set.npz"), classifier(3, multilabel=True)
    else:
        data = masks(tmp_path)
        module = segmenter(data)
    test = OODTest(generated=["uniform"])
    rows = keyed(test.run(module, data, trainer([])))
    assert {f"ood/{metric}" for metric in rows} == set(test.expects(data))


def test_made_images_depend_on_the_image_alone():
    images, ids = torch.rand(6, 3, 18, 20, generator=torch.Generator().manual_seed(0)), torch.arange(6)
    for name in GENERATED:
        made = generate(name, images, ids)
        assert made.shape == images.shape
        assert 0 <= float(made.min()) <= float(made.max()) <= 1
        assert torch.equal(generate(name, images[3:5], ids[3:5]), made[3:5])
        assert not torch.equal(generate(name, images, ids, seed=1), made)
        assert not torch.equal(made[0], made[1])


def test_shuffling_keeps_every_pixel_and_noise_has_its_moments():
    images, ids = torch.rand(4, 3, 18, 20, generator=torch.Generator().manual_seed(0)), torch.arange(4)
    shuffled = generate("patch_shuffle", images, ids)
    assert torch.equal(shuffled.flatten(2).sort().values, images.flatten(2).sort().values)
    assert torch.equal(shuffled[:, :, 16:], images[:, :, 16:])  # what the grid leaves over
    noise = generate("uniform", torch.zeros(8, 3, 64, 64), torch.arange(8))
    assert (float(noise.mean()), float(noise.std())) == pytest.approx((0.5, 12**-0.5), abs=0.005)
    noise = generate("gaussian", torch.zeros(8, 3, 64, 64), torch.arange(8))
    assert (float(noise.mean()), float(noise.std())) == pytest.approx((0.5, 0.24), abs=0.01)


def test_sizes_and_channels_are_made_those_of_the_model():
    grey = torch.rand(2, 1, 8, 8)
    assert torch.equal(fitted(grey, (3, 8, 8))[:, 2], grey[:, 0])
    colour = torch.rand(2, 3, 8, 8)
    assert torch.allclose(fitted(colour, (1, 8, 8))[:, 0], colour.mean(1))
    assert fitted(colour, (3, 5, 12)).shape == (2, 3, 5, 12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generated": ["texture"]}, "try 'textures'"),
        ({"scores": ["mps"]}, "try 'msp'"),
        ({"generated": []}, "expected foreign images and scores"),
        ({"against": {"uniform": "x"}}, "every name once"),
    ],
)
def test_bad_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        OODTest(**settings)


def test_what_is_not_there_is_told_before_the_work(data, tmp_path):
    with pytest.raises(ValueError, match="try another against"):
        OODTest({"lost": tmp_path / "lost"}).expects(data)
    with pytest.raises(TypeError, match="expected a folder or a data module, got int"):
        OODTest({"lost": 3}).expects(data)
