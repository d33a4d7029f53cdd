import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.data import DataError, StylePairs


@pytest.fixture
def folders(tmp_path):
    """Content is red and style blue, and the value of a pixel is its picture's number and place."""
    for name, channel, count in (("content", 0, 10), ("style", 2, 6)):
        (tmp_path / name).mkdir()
        for index in range(count):
            pixels = np.zeros((48, 64, 3), np.uint8)
            pixels[..., channel] = 20 * index + np.arange(64) // 4
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
    return tmp_path


def pairs(folders, **settings):
    settings = {"resize": 32, "crop": 24, "batch_size": 4, "val_fraction": 0.2, "num_workers": 0} | settings
    data = StylePairs(folders / "content", folders / "style", **settings)
    data.setup("fit")
    return data


def batches(data, loader):
    return [data.on_after_batch_transfer(batch, 0) for batch in loader]


def test_batches_hold_pictures_of_both_folders(folders):
    data = pairs(folders)
    batch = batches(data, data.train_dataloader())[0]
    assert batch["image"].shape == batch["style"].shape == (4, 3, 24, 24)
    assert batch["image"].dtype == batch["style"].dtype == torch.float32
    assert batch["style"].is_contiguous()
    for name, channel in (("image", 0), ("style", 2)):
        others = [i for i in range(3) if i != channel]
        assert batch[name][:, channel].max() > 0
        assert batch[name][:, others].max() == 0
        assert batch[name].max() <= (20 * 9 + 15) / 255
    assert len(data.train_set) == 8
    assert len(data.val_set) == 2


def test_training_draws_styles_and_crops_anew_and_validation_does_not(folders):
    data = pairs(folders)
    first, again, validation = data.train_dataloader(), data.train_dataloader(), data.val_dataloader()
    assert all(torch.equal(a["style"], b["style"]) for a, b in zip(first, again, strict=True))
    loader = data.train_dataloader()
    epochs = []
    for epoch in range(2):
        loader.batch_sampler.set_epoch(epoch)
        found = {int(i): s for batch in loader for i, s in zip(batch["index"], batch["style"], strict=True)}
        epochs.append(torch.stack([found[index] for index in sorted(found)]))
    assert not torch.equal(*epochs)
    drawn = torch.cat(epochs)[..., 2].float().mean((1, 2)) // 20
    assert len(drawn.unique()) > 3
    assert all(torch.equal(a["style"], b["style"]) for a, b in zip(validation, validation, strict=True))


@pytest.mark.parametrize("missing", ["content", "style"])
def test_missing_and_empty_folders_are_named(folders, missing):
    given = {"content": folders / "content", "style": folders / "style"}
    with pytest.raises(DataError, match=f"expected a folder of pictures for data.{missing}, got none; try"):
        StylePairs(**given | {missing: None}).setup("fit")
    (folders / "empty").mkdir()
    with pytest.raises(DataError, match=f"expected images in .*empty, got an empty folder; try another data.{missing}"):
        StylePairs(**given | {missing: folders / "empty"}).setup("fit")


def test_a_crop_larger_than_the_picture_is_refused(folders):
    with pytest.raises(ValueError, match="expected crop from 16 to resize=32 pixels, got 48"):
        pairs(folders, crop=48)
