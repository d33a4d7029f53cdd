"""AutoAttack through the evaluation is AutoAttack."""

import random
import sys

import pytest
import torch

from robustlit.attacks import PGD
from robustlit.evaluation import AutoAttackTest
from robustlit.evaluation.attacked import auto_attack_run as run
from robustlit.evaluation.attacked.auto_attack_run import ROBUST, WRONG, attack_names, auto_attack
from tests.evaluation.adversarial_sets import arrays, trained
from tests.tiny import trainer

package = pytest.importorskip("pyautoattack", reason="needs pip install 'robustlit[attacks]'")
EPS = 0.04


@pytest.fixture(scope="module")
def networks():
    return {classes: trained(classes) for classes in (2, 3, 4)}


def batch(data):
    samples = [data.test_sets["test"][place] for place in range(len(data.test_sets["test"]))]
    images = torch.stack([torch.as_tensor(sample["image"]).permute(2, 0, 1).float() / 255 for sample in samples])
    return images, torch.tensor([int(sample["target"]) for sample in samples])


def test_four_classes_give_the_figures_of_the_package_itself(networks, tmp_path):
    data, module = arrays(tmp_path / "set.npz", 4, 16), networks[4]
    own = package.AutoAttack(module, eps=EPS, norm="Linf", seed=0, version="standard")
    own.apgd_targeted.n_target_classes = own.fab.n_target_classes = 3
    images, targets = batch(data)
    with torch.random.fork_rng(), torch.no_grad():
        _, said = own.run_standard_evaluation(images, targets, batch_size=250)
    rows = {row.metric: row for row in AutoAttackTest(eps=EPS).run(module, data, trainer([]))}
    found = rows["linf_0.04"]
    assert 0.05 < found.value < 0.9
    assert found.value == pytest.approx(float((said == targets).float().mean()))
    assert rows["clean"].value == pytest.approx(float((module(images).argmax(1) == targets).float().mean()))
    assert rows["after/square"].value == found.value
    broken = sum(row.value for metric, row in rows.items() if metric.startswith("broken_by/"))
    assert rows["clean"].value - broken == pytest.approx(found.value)
    assert found.low < found.value < found.high
    assert found.n == 16
    told = {"norm": "linf", "eps": EPS, "steps": 100, "restarts": 1, "target_classes": 3, "precision": "float32"}
    assert told.items() <= found.conditions.items()
    assert AutoAttackTest(eps=EPS).expects(data) == [f"auto_attack/{metric}" for metric in _in_order(rows)]


def _in_order(rows):
    names = attack_names(4)
    kinds = [f"{kind}/{name}" for kind in ("after", "broken_by") for name in names]
    assert set(rows) == {"clean", "linf_0.04", *kinds}
    return ["clean", "linf_0.04", *kinds]


@pytest.mark.parametrize("classes", [2, 3])
def test_few_classes_do_not_crash_and_are_attacked_as_hard(classes, networks, tmp_path):
    module, (images, targets) = networks[classes], batch(arrays(tmp_path / "set.npz", classes, 16))
    with torch.no_grad():
        right = module(images).argmax(1) == targets
    found = auto_attack(module, images, targets, eps=EPS)
    assert (found[~right] == WRONG).all()
    pgd = PGD(eps=EPS, steps=40, best=True)(module, images, targets)
    with torch.no_grad():
        survives = module(pgd).argmax(1) == targets
    assert not ((found == ROBUST) & ~survives).any()
    assert 0 < (found >= 0).sum() < len(found)


def test_one_logit_stands_for_two_classes(networks, tmp_path):
    images, targets = (part[:6] for part in batch(arrays(tmp_path / "set.npz", 2, 16)))

    def one(pixels):
        logits = networks[2](pixels)
        return logits[:, 1:] - logits[:, :1]

    def two(pixels):
        return torch.cat((torch.zeros_like(one(pixels)), one(pixels)), dim=1)

    found = auto_attack(one, images, targets, eps=0.3)
    assert set(targets.tolist()) == {0, 1} and (found >= 0).any()
    assert torch.equal(found, auto_attack(two, images, targets, eps=0.3))


def test_it_leaves_generators_and_the_trace_function_alone(networks, tmp_path):
    images, targets = batch(arrays(tmp_path / "set.npz", 4, 16))
    before, python = torch.get_rng_state(), random.getstate()
    trace, seen = sys.gettrace(), []

    def watch(*event):
        seen.append(event)

    sys.settrace(watch)
    try:
        auto_attack(networks[4], images[:2], targets[:2], eps=0.3)
        assert sys.gettrace() is watch
    finally:
        sys.settrace(trace)
    assert torch.equal(before, torch.get_rng_state())
    assert python == random.getstate()


def test_blocks_are_shared_out_and_make_no_difference(networks, tmp_path, monkeypatch):
    """What two processes would do, one after the other."""
    data, module = arrays(tmp_path / "set.npz", 4, 16), networks[4]
    once = AutoAttackTest(eps=0.3, batch_size=8).run(module, data, trainer([]))
    calls = []
    inner = run.auto_attack
    monkeypatch.setattr(run, "auto_attack", lambda *args, **kw: calls.append(kw["ids"].tolist()) or inner(*args, **kw))
    again = AutoAttackTest(eps=0.3, batch_size=8).run(module, data, trainer([]))
    assert [row.value for row in once] == [row.value for row in again]
    assert calls == [list(range(start, start + 8)) for start in (0, 8)]


def test_what_stops_it_is_said_early(tmp_path, monkeypatch):
    data = arrays(tmp_path / "set.npz", 4, 16)
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"robustlit\[attacks\]"):
        AutoAttackTest().expects(data)
    monkeypatch.undo()
    data.task = "segmentation"
    with pytest.raises(ValueError, match="evaluation=adversarial"):
        AutoAttackTest().expects(data)
    with pytest.raises(ValueError, match="8/255"):
        AutoAttackTest(eps=8)
