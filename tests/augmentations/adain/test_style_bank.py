import os

import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.augmentations.adain import StyleBank
from robustlit.augmentations.adain.network import StyleNetwork
from tests.augmentations.adain.tiny_style import tiny_decoder, tiny_encoder, write_pictures

CPU = torch.device("cpu")


class Counting(StyleNetwork):
    def __init__(self, seed=0):
        super().__init__(tiny_encoder(seed), tiny_decoder())
        self.count = 0

    def statistics(self, images):
        self.count += 1
        return super().statistics(images)


def test_statistics_are_those_of_the_pictures_own_features(tmp_path):
    bank = StyleBank(write_pictures(tmp_path, 3), size=40)
    found = bank.statistics(StyleNetwork(tiny_encoder(), tiny_decoder()), CPU)
    assert found.mean.shape == found.std.shape == (3, 10)
    for row, file in enumerate(bank.files):
        image = torch.from_numpy(np.array(Image.open(file))).movedim(2, 0)[None] / 255
        features = tiny_encoder()(image).detach()[0].flatten(1).double()
        torch.testing.assert_close(found.mean[row].double(), features.mean(1), atol=1e-5, rtol=0)
        torch.testing.assert_close(found.std[row].double(), (features.var(1) + 1e-5).sqrt(), atol=1e-5, rtol=0)


def test_autocast_does_not_reach_the_bank(tmp_path):
    bank, other = StyleBank(write_pictures(tmp_path, 1)), StyleBank(tmp_path)
    exact = bank.statistics(Counting(), CPU)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(other.statistics(Counting(), CPU).std, exact.std)


def test_pictures_are_encoded_once(tmp_path):
    bank, network = StyleBank(write_pictures(tmp_path, 3)), Counting()
    assert len(bank) == 3
    assert network.count == 0
    first = bank.statistics(network, CPU)
    assert bank.statistics(network, CPU) is first
    assert network.count == 3


def test_a_cache_file_serves_the_next_run_and_no_other_bank(tmp_path):
    folder, cache = write_pictures(tmp_path / "styles", 2), tmp_path / "kept" / "styles.pt"
    before = sorted(folder.iterdir())
    first, again = Counting(), Counting()
    expected = StyleBank(folder, cache=cache).statistics(first, CPU)
    found = StyleBank(folder, cache=cache).statistics(again, CPU)
    assert (first.count, again.count) == (2, 0)
    assert torch.equal(found.mean, expected.mean)
    assert torch.equal(found.std, expected.std)
    assert sorted(folder.iterdir()) == before
    assert [path.name for path in cache.parent.iterdir()] == ["styles.pt"]

    other_size, other_encoder, other_picture = Counting(), Counting(seed=9), Counting()
    StyleBank(folder, size=32, cache=cache).statistics(other_size, CPU)
    StyleBank(folder, cache=cache).statistics(other_encoder, CPU)
    os.utime(before[0], ns=(1, 1))
    StyleBank(folder, cache=cache).statistics(other_picture, CPU)
    assert (other_size.count, other_encoder.count, other_picture.count) == (2, 2, 2)


def test_a_broken_cache_file_is_made_anew(tmp_path):
    cache, network = tmp_path / "styles.pt", Counting()
    cache.write_bytes(b"half a fi")
    StyleBank(write_pictures(tmp_path / "styles", 1), cache=cache).statistics(network, CPU)
    assert network.count == 1
    assert torch.load(cache, weights_only=True)["mean"].shape == (1, 10)


def test_a_folder_without_pictures_and_a_broken_picture_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"expected style pictures in .*, got an empty folder; try"):
        StyleBank(tmp_path)
    with pytest.raises(ValueError, match=r"expected a folder of style pictures at .*missing, got nothing there; try"):
        StyleBank(tmp_path / "missing")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"expected a readable picture in .*broken.jpg, got .*; try removing the file"):
        StyleBank(tmp_path).statistics(Counting(), CPU)


def test_grey_and_transparent_pictures_are_styles_too(tmp_path):
    Image.fromarray(np.full((32, 32), 90, np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(np.full((32, 32, 4), 90, np.uint8)).save(tmp_path / "clear.webp")
    assert StyleBank(tmp_path).statistics(Counting(), CPU).mean.isfinite().all()
