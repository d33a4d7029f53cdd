"""CorruptionTest: what is refused before any work, what families share, and which table each had."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from robustlit.corruptions import BAR_CIFAR, BAR_IMAGENET, COMMON, Corruption, CustomCorruption, Draws, corrupt
from robustlit.data import Npz
from robustlit.evaluation import CorruptionTest
from robustlit.evaluation.corrupted.cells import cells_of
from robustlit.modules import ClassificationModule
from tests.tiny import trainer


class OwnFog(Corruption[Draws]):
    name = "fog"
    levels = {"imagenet": ((0.9,), (0.8,), (0.7,), (0.6,), (0.5,))}  # noqa: RUF012

    def sample(self, shape, seeds, level):
        return Draws()

    def change(self, images, draws, level):
        return images * level[0]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Npz:
    path: Path = tmp_path_factory.mktemp("arrays") / "set.npz"
    images = (torch.rand(6, 20, 20, 3, generator=torch.Generator().manual_seed(0)) * 255).byte().numpy()
    labels = np.arange(6) % 3
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    found = Npz(path, batch_size=6, num_workers=0)
    found.prepare_data()
    found.setup("fit")
    return found


@pytest.fixture(scope="module")
def module() -> ClassificationModule:
    torch.manual_seed(0)
    return ClassificationModule(nn.Sequential(nn.Flatten(), nn.Linear(1200, 3)), num_classes=3).eval()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"severities": ()}, r"severities from 1 to 5, each once, got \[\]"),
        ({"severities": (1, 3, 3.0)}, r"each once, got \[1, 3, 3.0\]"),
        ({"severities": (6,)}, "severity from 1 to 5"),
        ({"storage": "png"}, "expected storage 'jpeg85' or None, got 'png'"),
        ({"preset": "imagnet"}, "try 'imagenet'"),
        ({"frost": "/nope"}, "expected a folder with frost1.png"),
        ({"images": 0}, "expected at least one image"),
        ({"own": [OwnFog()]}, "expected one corruption of a name, got two different 'fog'"),
    ],
)
def test_what_would_stop_the_run_is_refused_before_it(settings, message, data):
    with pytest.raises(ValueError, match=message) as error:
        CorruptionTest(**{"families": ["common"], **settings}).expects(data)
    assert "\n" not in str(error.value)


def test_cells_that_families_share_are_measured_once(module, data):
    seen = []
    hook = module.register_forward_hook(lambda _, inputs, output: seen.append(len(output)))
    own = CustomCorruption(lambda images, severity, seeds: 1 - images, name="negative")
    test = CorruptionTest(["bar_imagenet", "bar_cifar", "extra"], own=["saturate", "lines", own], severities=[2])
    rows = test.run(module, data, trainer([]))
    hook.remove()
    labels = {*BAR_IMAGENET, *BAR_CIFAR, "speckle_noise", "gaussian_blur", "spatter", "saturate", "negative"}
    pictures = 1 + 4  # of the first images as they are, and in the four worst corruptions
    assert sum(seen) == 6 * (1 + len(labels) + pictures)  # the clean images, and every cell
    assert {f"{row.test}/{row.metric}" for row in rows} <= set(test.expects(data))
    shared = [row for row in rows if row.metric == "accuracy/sparkles/2"]
    assert {row.test for row in shared} == {"bar_imagenet", "bar_cifar"}
    assert len({row.value for row in shared}) == 1


@pytest.mark.parametrize(
    ("preset", "family", "recorded"),
    [
        ("tiny", "bar", "imagenet"),
        ("cifar", "bar_imagenet", "cifar+imagenet"),
        ("imagenet", "bar_cifar", "cifar+imagenet"),
        ("tiny", "extra", "tiny"),
    ],
)
def test_a_family_without_the_preset_has_the_nearest_table_and_says_so(preset, family, recorded, module, data):
    rows = CorruptionTest([family], severities=[3], preset=preset).run(module, data, trainer([]))
    assert {row.conditions["preset"] for row in rows} == {recorded}


def test_the_recorded_table_is_the_one_that_is_used():
    images = torch.rand(2, 3, 20, 20)
    ids, targets = torch.arange(2), torch.zeros(2)
    for name, table in (("plasma_noise", "imagenet"), ("ripple", "cifar"), ("fog", "tiny")):
        (cell,) = cells_of([name], [3])
        conditions = CorruptionTest(preset="tiny").conditions
        assert conditions.table(cell, 20, 20) == table
        found, _ = conditions.make(cell, images, targets, ids)
        assert torch.equal(found, corrupt(images, name, 3, preset=table, seed=0))


@pytest.mark.parametrize("frost", ["procedural", "imagecorruptions"])
def test_frost_is_of_one_source_wherever_it_is_named(frost):
    families = CorruptionTest(["common"], own=["frost"], frost=frost)._cells(32, 32)
    assert {cell.corruption.source for cell in families["own"]} == {frost}


def test_a_thousand_classes_alone_are_not_imagenet():
    test = CorruptionTest(["common"], storage="jpeg85", frost="imagecorruptions")
    cells = [(name, severity) for name in COMMON for severity in (1, 2, 3, 4, 5)]

    def why(names):
        facts = SimpleNamespace(num_classes=1000, class_names=names)
        return test._why_not_mce("common", cells, facts, {"preset": "imagenet"}, (224, 224))

    assert why([f"n{number:08d}" for number in range(1000)]) is None
    assert why([str(number) for number in range(1000)]) == "the data set is not ImageNet"
    assert why(()) == "the data set is not ImageNet"
