"""Which images are right, and pictures of those that break: the same as the figures say, whoever's loop it is."""

import numpy as np
import pytest
import torch

from robustlit.attacks import PGD
from robustlit.core import Adapter
from robustlit.core.random import sample_seeds
from robustlit.corruptions import corrupt
from robustlit.evaluation import AdversarialTest, CleanTest, CorruptionTest
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.metrics.corruption_scores import CorruptionScores
from tests.evaluation.adversarial_sets import arrays, trained
from tests.tiny import trainer


@pytest.fixture(scope="module")
def module():
    return trained(4)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return arrays(tmp_path_factory.mktemp("arrays") / "set.npz", 4, 40)


def pixels(data):
    split = data.test_sets["test"]
    images = torch.stack([torch.as_tensor(split[place]["image"]).permute(2, 0, 1).float() / 255 for place in range(40)])
    return images, torch.tensor([int(split[place]["target"]) for place in range(40)])


def of_kind(test, kind):
    return [record for record in test.records if record.kind == kind]


def test_every_cell_has_the_outcomes_of_a_loop_by_hand(module, data):
    test = CorruptionTest(["extra"], severities=[2, 5], images=30)
    rows = {row.metric: row for row in test.run(module, data, trainer([]))}
    (found,) = of_kind(test, "outcomes")
    assert (found.test, found.split) == ("extra", "test")
    index = found.data["index"]
    assert index.dtype == np.int64 and len(index) == 30 and sorted(index) == index.tolist()
    images, targets = pixels(data)
    seeds = sample_seeds(0, torch.from_numpy(index))
    with torch.no_grad():
        fog = corrupt(images[index], "spatter", 5, seed=seeds)
        assert np.array_equal(found.data["spatter/5"], module(fog).argmax(1) == targets[index])
        assert np.array_equal(found.data["clean"], module(images[index]).argmax(1) == targets[index])
    for metric, row in rows.items():
        flags = found.data.get(metric.removeprefix("accuracy/"))
        if flags is not None:
            assert flags.mean() == pytest.approx(row.value)
    assert len(found.data) == 2 + 4 * 2


def test_attacks_keep_theirs_under_the_names_of_their_figures(module, data):
    test = AdversarialTest(eps=(0.01, 0.02), steps=3, attacks={"other": PGD(eps=0.02, steps=2)}, images=None)
    rows = {row.metric: row for row in test.run(module, data, trainer([]))}
    (found,) = of_kind(test, "outcomes")
    assert found.data.keys() == {"index", *rows}
    for metric, row in rows.items():
        assert found.data[metric].mean() == pytest.approx(row.value), metric
    assert np.array_equal(found.data["worst_linf_0.02"], found.data["pgd_linf_0.02"] & found.data["other_linf_0.02"])
    (picture,) = of_kind(test, "picture")
    assert picture.data["image"].dtype == np.uint8 and "PGD Linf" in picture.data["caption"]
    assert f"{100 * rows['pgd_linf_0.02'].value:.1f} % of 40 images" in picture.data["caption"]


def test_the_clean_test_needs_no_forward_for_its_outcomes(module, data):
    seen = []
    hook = module.register_forward_hook(lambda _, inputs, output: seen.append(len(output)))
    test = CleanTest()
    rows = {row.metric: row for row in test.run(module, data, trainer([]))}
    hook.remove()
    (found,) = of_kind(test, "outcomes")
    images, targets = pixels(data)
    with torch.no_grad():
        assert np.array_equal(found.data["clean"], module(images).argmax(1) == targets)
    assert found.data["clean"].mean() == pytest.approx(rows["accuracy"].value)
    assert found.data["index"].tolist() == list(range(40)) and sum(seen) == 40
    assert not module._forward_hooks


def test_the_worst_cells_are_shown(module, data):
    test = CorruptionTest(["extra"], severities=[1, 5], images=None)
    rows = test.run(module, data, trainer([]))
    shown = of_kind(test, "picture")
    cells = {row.metric.removeprefix("accuracy/"): row.value for row in rows if "severity" in row.conditions}
    lowest = min(cells, key=cells.__getitem__)
    assert lowest in {record.name for record in shown} and len(shown) == 4
    assert len({record.name.partition("/")[0] for record in shown}) == 4  # one a corruption
    for record in shown:
        assert f"{100 * cells[record.name]:.1f} % of 40 images, clean" in record.data["caption"]


def test_wrong_is_what_the_figures_count_as_wrong():
    logits = torch.tensor([[0.0, 1.0], [1.0, 1.0], [float("nan"), 0.0], [0.0, 3.0], [5.0, 1.0]])
    targets = torch.tensor([1, 0, 1, 0, -100])
    outcomes, scores = Outcomes(), CorruptionScores([("fog", 1)], "classification")
    outcomes.begin(torch.arange(5))
    outcomes.add(("fog", 1), logits, targets, "classification", None)
    scores.update(("fog", 1), logits, targets)
    found = outcomes.arrays()
    assert found["index"].tolist() == [0, 1, 2, 3]  # the last has no class
    assert found["fog/1"].tolist() == [True, True, False, False]
    assert scores.compute()["fog", 1].score == found["fog/1"].mean()


def test_an_image_that_comes_twice_counts_once_and_cells_that_time_cut_short_are_left_out():
    outcomes = Outcomes({("fog", 1): "mist"})
    for ids, cells in (([3, 1], (("fog", 1), ("snow", 2))), ([1, 2], (("fog", 1),))):
        outcomes.begin(torch.tensor(ids))
        for cell in cells:
            outcomes.add(cell, torch.eye(2), torch.tensor([0, 0]), "classification", None)
    found = {name: values.tolist() for name, values in outcomes.arrays().items()}
    assert found == {"index": [1, 2, 3], "mist": [False, False, True]}


def test_labels_and_masks_have_none():
    outcomes = Outcomes()
    outcomes.begin(torch.arange(2))
    outcomes.add(("fog", 1), torch.zeros(2, 3), torch.zeros(2, 3), "multilabel", Adapter().ignore_index)
    assert outcomes.arrays() == {}
