"""What every DataModule does: loaders, seeds of samples, limits, statistics, one-line errors."""

import os
from importlib.util import find_spec, module_from_spec
from types import SimpleNamespace

import albumentations
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from robustlit.data import DataError, Splits, VisionDataModule
from robustlit.data.samples import Samples
from tests.data.tiny_data import Ramp, RampData, exhaust

JITTER = (
    albumentations.Pad(2),
    albumentations.RandomCrop(10, 10),
    albumentations.HorizontalFlip(),
    albumentations.VerticalFlip(),
)


def by_index(loader, epoch=0):
    loader.batch_sampler.set_epoch(epoch)
    batches = list(loader)
    return {int(i): image for batch in batches for i, image in zip(batch["index"], batch["image"], strict=True)}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def ready(**settings):
    data = RampData(**settings)
    data.setup()
    return data


def test_a_sample_does_not_depend_on_workers_or_batch_size():
    alone = by_index(ready(batch_size=4, train_transforms=JITTER).train_dataloader(), epoch=3)
    shared = by_index(ready(batch_size=3, num_workers=2, train_transforms=JITTER).train_dataloader(), epoch=3)
    assert same(alone, shared)


@pytest.mark.parametrize("workers", [0, 2])
def test_epochs_and_seeds_differ_and_come_back(workers):
    loader = ready(batch_size=4, num_workers=workers, train_transforms=JITTER).train_dataloader()
    first, second, again = by_index(loader, 0), by_index(loader, 1), by_index(loader, 0)
    assert same(first, again)
    changed = sum(not torch.equal(first[i], second[i]) for i in first)
    assert changed > len(first) // 2
    assert not same(first, by_index(ready(seed=1, train_transforms=JITTER).train_dataloader(), 0))


def test_two_workers_draw_different_numbers():
    class Same(Dataset):
        def __len__(self):
            return 64

        def __getitem__(self, index):
            return {"image": Ramp(1)[0]["image"], "target": 0}

    class SameData(RampData):
        def load(self):
            return Splits(Same())

    data = SameData(num_workers=2, batch_size=8, val_fraction=0, train_transforms=JITTER[:2])
    data.setup()
    images = torch.cat([batch["image"] for batch in data.train_dataloader()])
    assert len(torch.unique(images, dim=0)) > 15  # of 25 crops


def test_transforms_of_one_chain_are_independent():
    flips = [albumentations.HorizontalFlip(), albumentations.VerticalFlip()]
    data = ready(val_fraction=0, train_transforms=flips)
    kinds = set()
    for epoch in range(4):
        for i in range(len(data.train_set)):
            original, image = Ramp(22)[i]["image"], data.train_set[(i, epoch)]["image"]
            kinds |= {(h, v) for h in (1, -1) for v in (1, -1) if np.array_equal(original[::h, ::v], image)}
    assert kinds == {(1, 1), (1, -1), (-1, 1), (-1, -1)}


def test_loaders_leave_the_global_generator_alone():
    data = ready(batch_size=4, train_transforms=JITTER, eval_transforms=JITTER)
    before = torch.get_rng_state()
    for loader in (data.train_dataloader(), data.val_dataloader(), *data.test_dataloader()):
        list(loader)
    assert torch.equal(before, torch.get_rng_state())


def test_evaluation_is_the_same_in_every_epoch_and_run():
    def evaluate(seed):
        return list(ready(seed=seed, eval_transforms=JITTER).test_dataloader()[0])

    first, second = evaluate(0), evaluate(1)
    assert all(torch.equal(a["image"], b["image"]) for a, b in zip(first, second, strict=True))


def test_other_seeds_keep_the_split():
    assert ready(seed=0).val_set.indices == ready(seed=1).val_set.indices != ready(split_seed=1).val_set.indices


def test_batch_is_pixels_labels_and_source_indices_after_the_transfer():
    data = ready(batch_size=5)
    raw = next(iter(data.train_dataloader()))
    batch = data.on_after_batch_transfer(raw, 0)
    assert raw["image"].dtype == torch.uint8
    assert batch["image"].dtype == torch.float32
    assert batch["target"].dtype == batch["index"].dtype == torch.int64
    for image, target, index in zip(batch["image"], batch["target"], batch["index"], strict=True):
        expected = Ramp(22)[int(index)]
        np.testing.assert_allclose(image.permute(1, 2, 0).numpy(), expected["image"] / 255, rtol=1e-6)
        assert target == expected["target"]


def test_limits_take_a_seeded_choice():
    data = ready(limit_train=6, limit_eval=3)
    assert len(data.train_set) == 6
    assert len(data.val_set) == 2  # there are no more
    assert {name: len(test) for name, test in data.test_sets.items()} == {"first": 3, "second": 3}
    assert data.train_set.indices == ready(limit_train=6).train_set.indices != ready().train_set.indices[:6]


def test_names_statistics_and_loaders_by_name():
    data = ready()
    assert data.test_names == ("first", "second")
    assert [len(loader.dataset) for loader in data.test_dataloader()] == [7, 5]
    assert len(data.eval_dataloader("second").dataset) == 5
    assert data.mean == (0.485, 0.456, 0.406)
    assert ready(mean=[0.1, 0.2, 0.3]).mean == (0.1, 0.2, 0.3)
    assert ready(val_fraction=0).val_dataloader() == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "expected batch_size of at least 1, got 0"),
        ({"num_workers": -1}, "expected num_workers as 'auto' or a number from 0, got -1"),
        ({"on_bad_image": "ignore"}, "expected on_bad_image 'error' or 'skip', got 'ignore'"),
        ({"limit_train": 0}, "limit_train=0"),
        ({"val_fraction": 1.5}, "expected val_fraction in"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message) as error:
        ready(**settings)
    assert "\n" not in str(error.value)


def test_wrong_split_and_statistics():
    with pytest.raises(ValueError, match="expected the name of a split, got 'frist'; try 'first'"):
        ready().eval_dataloader("frist")
    with pytest.raises(ValueError, match="expected mean of 3 channels, got 1 values"):
        _ = ready(mean=[0.5]).mean


def test_several_processes_need_our_own_sampler():
    data = RampData()
    connector = SimpleNamespace(use_distributed_sampler=True)
    data.trainer = SimpleNamespace(world_size=2, global_rank=1, _accelerator_connector=connector)
    with pytest.raises(ValueError, match=r"expected Trainer\(use_distributed_sampler=False\), got True"):
        data.setup("fit")
    connector.use_distributed_sampler = False
    data.setup("fit")
    assert len(data.train_dataloader()) == 1
    assert len(data.eval_dataloader("first").batch_sampler.positions) == 3  # of 7: the other rank has 4


@pytest.mark.parametrize("workers", [0, 2])
def test_images_of_two_sizes_are_named_in_one_line(workers):
    class Sizes(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return {"image": np.zeros((8 + index, 8, 3), np.uint8), "target": 0}

        def describe(self, index):
            return f"{index}.png"

    class SizesData(RampData):
        def load(self):
            return Splits(Sizes())

    data = SizesData(num_workers=workers, batch_size=2, val_fraction=0)
    data.setup()
    with pytest.raises(DataError, match=r"\d.png \(\d+×8×3, uint8\) and \d.png .*; try a Resize") as error:
        exhaust(data.train_dataloader())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_source_that_cannot_read_is_named_in_one_line(workers):
    class Gone(Ramp):
        def __getitem__(self, index):
            raise FileNotFoundError(2, "No such file", f"{index}.npy")

    class GoneData(RampData):
        def load(self):
            return Splits(Gone(4))

    data = GoneData(num_workers=workers, val_fraction=0)
    data.setup()
    with pytest.raises(DataError, match=r"^expected sample \d to be readable, got .*No such file.*; try another path$"):
        exhaust(data.train_dataloader())


@pytest.mark.parametrize("workers", [0, 2])
def test_transforms_that_do_not_fit_name_the_image_in_one_line(workers):
    data = ready(num_workers=workers, train_transforms=[albumentations.RandomCrop(12, 12)])
    with pytest.raises(
        DataError, match=r"^expected transforms that fit sample \d+, got 'Crop.*; try a Resize or PadIfN"
    ):
        list(data.train_dataloader())


def test_no_question_about_updates_goes_to_the_network(monkeypatch):
    monkeypatch.delenv("NO_ALBUMENTATIONS_UPDATE")
    spec = find_spec("robustlit.data.samples")
    spec.loader.exec_module(module_from_spec(spec))
    assert os.environ["NO_ALBUMENTATIONS_UPDATE"] == "1"


def samples(image, target, task="segmentation", **settings):
    settings = {"seed": 0, "num_classes": 3, "channels": 3, **settings}
    return Samples([{"image": image, "target": target}], task=task, **settings)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: samples(np.zeros((4, 4, 1), np.uint8), 0), "expected sample 0 as height×width×3"),
        (
            lambda: samples(np.zeros((4, 4, 3), np.uint8), 3, "classification"),
            "expected class indices 0 … 2 in sample 0, got 3; try num_classes=4",
        ),
        (
            lambda: samples(np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 255, np.uint8)),
            "0 … 2 or ignore_index=None in sample 0, got 255; try num_classes=256 or ignore_index=255",
        ),
        (
            lambda: samples(np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 255, np.uint8), num_classes=2),
            r"0 … 1 or .* in sample 0, got 255; try data.mask_values=\[0,255\] or ignore_index=255",
        ),
        (
            lambda: samples(np.zeros((4, 4, 3), np.uint8), np.full((4, 4), -1)),
            "got -1; try labels that start at 0 or ignore_index=-1",
        ),
        (
            lambda: samples(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8)),
            r"got \(4, 4\) and \(4, 5\); try resizing",
        ),
        (
            lambda: samples(np.zeros((4, 4, 3), np.uint8), np.zeros(4, np.float32), "multilabel"),
            "expected 3 labels for sample 0, got 4",
        ),
    ],
)
def test_items_that_do_not_fit(made, message):
    with pytest.raises(DataError, match=message):
        made()[0]


def test_ignored_pixels_pass():
    mask = np.array([[0, 2], [255, 1]], np.uint8)
    assert samples(np.zeros((2, 2, 3), np.uint8), mask, ignore_index=255)[0]["target"] is mask


def test_masks_move_with_their_image():
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 3, (12, 12), dtype=np.uint8)
    image = np.repeat(mask[..., None], 3, axis=2)
    item = {"image": image, "target": mask, "mask": mask.copy()}
    moving = Samples([item], JITTER[1:], seed=0, task="segmentation", num_classes=3, channels=3)
    for epoch in range(5):
        out = moving[(0, epoch)]
        assert out["image"].shape == (10, 10, 3)
        np.testing.assert_array_equal(out["image"][..., 0], out["target"])
        np.testing.assert_array_equal(out["mask"], out["target"])


def test_a_data_module_must_say_how_to_load():
    with pytest.raises(TypeError, match="load"):
        VisionDataModule()
