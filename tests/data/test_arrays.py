"""Sets in arrays: npz files with both kinds of names, CIFAR from npz and from torchvision's files, Fashion-MNIST."""

import gzip
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from robustlit.data import CIFAR10, CIFAR100, DataError, FashionMNIST, Npz

RNG = np.random.default_rng(0)


def images(count, *shape, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max, (count, *shape), dtype=dtype)


def ready(data):
    data.setup()
    return data


def test_npz_with_x_and_y(tmp_path):
    x, y = images(20, 8, 8, 3), np.arange(20) % 4
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x[:6], y_test=y[:6])
    data = ready(Npz(tmp_path / "a.npz", val_fraction=0.25))
    assert (data.task, data.num_classes, data.class_names, data.channels) == (
        "classification",
        4,
        ("0", "1", "2", "3"),
        3,
    )
    assert (len(data.train_set), len(data.val_set), data.test_names) == (15, 5, ("test",))
    item = data.train_set[3]
    np.testing.assert_array_equal(item["image"], x[item["index"]])
    assert item["target"] == y[item["index"]]


def test_medmnist_names_grey_and_column_labels(tmp_path):
    x, y = images(9, 8, 8), np.array([[0], [1], [2]] * 3, dtype=np.uint8)
    splits = {
        f"{split}_{kind}": value for split in ("train", "val", "test") for kind, value in (("images", x), ("labels", y))
    }
    np.savez(tmp_path / "a.npz", **splits)
    data = ready(Npz(tmp_path / "a.npz", class_names=["a", "b", "c"]))
    assert (data.task, data.channels, data.class_names) == ("classification", 1, ("a", "b", "c"))
    assert (len(data.train_set), len(data.val_set), len(data.test_sets["test"])) == (9, 9, 9)
    assert next(iter(data.train_dataloader()))["image"].shape == (9, 1, 8, 8)


def test_several_labels_an_image(tmp_path):
    y = RNG.integers(0, 2, (9, 5))
    np.savez(tmp_path / "a.npz", train_images=images(9, 8, 8), train_labels=y)
    data = ready(Npz(tmp_path / "a.npz", val_fraction=0))
    assert (data.task, data.num_classes) == ("multilabel", 5)
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert batch["target"].dtype == torch.float32
    np.testing.assert_array_equal(batch["target"].numpy(), y[batch["index"].numpy()])


def test_sixteen_bit_pixels_are_scaled_by_their_range(tmp_path):
    x = images(4, 8, 8, dtype=np.uint16)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=np.arange(4))
    data = ready(Npz(tmp_path / "a.npz", val_fraction=0))
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    expected = x[batch["index"].numpy(), None] / 65535
    np.testing.assert_allclose(batch["image"].numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": images(2, 8, 8)}, "expected arrays x_train and y_train, .* got images; try renaming them"),
        ({"x_train": images(2, 8, 8), "y_train": np.zeros(3, int)}, r"expected 2 integer labels in .* shape \(3,\)"),
        ({"x_train": np.zeros((2, 8, 8)), "y_train": np.zeros(2, int)}, "images of uint8 or uint16 in .*, got float64"),
        (
            {"x_train": images(2, 3, 16, 16), "y_train": np.zeros(2, int)},
            r"expected 1 … 4 channels on the last axis of .*, got shape \(2, 3, 16, 16\); try transposing to N×H×W×C",
        ),
        ({"x_train": images(2, 8, 8), "y_train": np.array([0, 7])}, "expected labels 0 … 2 in .*, got 7 at row 1"),
        ({"x_train": images(2, 8, 8), "y_train": np.array([-1, 0])}, "expected labels 0 … 2 in .*, got -1 at row 0"),
    ],
)
def test_npz_that_does_not_fit(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        ready(Npz(tmp_path / "a.npz", num_classes=3))


def test_missing_and_broken_npz(tmp_path):
    with pytest.raises(DataError, match=r"expected an .npz file at .*a.npz, got nothing there"):
        ready(CIFAR10(tmp_path / "a.npz"))
    (tmp_path / "a.npz").write_bytes(b"PK broken")
    with pytest.raises(DataError, match=r"expected an .npz archive in .*a.npz"):
        ready(CIFAR10(tmp_path / "a.npz"))


def test_cifar_from_npz_has_names_and_statistics(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=images(20, 32, 32, 3), y_train=np.arange(20) % 10)
    data = ready(CIFAR10(tmp_path / "a.npz"))
    assert (data.num_classes, data.class_names[3], len(data.mean)) == (10, "cat", 3)
    fine = ready(CIFAR100(tmp_path / "a.npz"))
    assert len(set(fine.class_names)) == fine.num_classes == 100
    assert list(fine.class_names) == sorted(fine.class_names)


def test_grey_cifar_has_the_average_of_its_statistics(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=images(20, 32, 32), y_train=np.arange(20) % 10)
    data = ready(CIFAR10(tmp_path / "a.npz"))
    assert data.mean == pytest.approx([(0.4914 + 0.4822 + 0.4465) / 3])
    assert data.std == pytest.approx([(0.2470 + 0.2435 + 0.2616) / 3])


def test_cifar_in_torchvision_files(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    data = {name: images(2, 3072) for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]}
    for name, pixels in data.items():
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": [1, 9]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CIFAR10.names)}))
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)  # these are not the real files
    module = ready(CIFAR10(tmp_path, val_fraction=0))
    np.testing.assert_array_equal(
        module.test_sets["test"][1]["image"], data["test_batch"][1].reshape(3, 32, 32).transpose(1, 2, 0)
    )
    assert len(module.train_set) == 10
    with pytest.raises(DataError, match=r"expected CIFAR100 in .*; try path=null to download it"):
        ready(CIFAR100(tmp_path))


def test_fashion_mnist_in_torchvision_files(tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    pixels = images(10, 28, 28)
    for split in ("train", "t10k"):
        packed = gzip.compress(pixels.tobytes())
        (raw / f"{split}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 2051, 10, 28, 28) + gzip.decompress(packed)
        )
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, 10) + bytes(range(10)))
    data = ready(FashionMNIST(tmp_path, val_fraction=0))
    assert (data.channels, data.num_classes, data.class_names[9]) == (1, 10, "ankle boot")
    np.testing.assert_array_equal(data.test_sets["test"][4]["image"][..., 0], pixels[4])
    with pytest.raises(DataError, match=r"expected Fashion-MNIST in .*; try path=null"):
        ready(FashionMNIST(tmp_path / "gone"))


def test_failed_download_says_what_to_do(tmp_path, monkeypatch):
    def offline(*_, download, **__):
        raise OSError("no route to host" if download else "not there")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torchvision.datasets.CIFAR10", offline)
    with pytest.raises(DataError, match="expected to download CIFAR10 to data, got 'no route to host'; try path=…"):
        CIFAR10().prepare_data()


def real(name):
    folder = os.environ.get("ROBUSTLIT_TEST_DATA")
    if not folder or not (Path(folder) / name).exists():
        pytest.skip(f"no {name} in ROBUSTLIT_TEST_DATA")
    return Path(folder) / name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "train"),
    [(lambda: CIFAR10(real("cifar10.npz")), 50_000), (lambda: FashionMNIST(real("FashionMNIST").parent), 60_000)],
)
def test_real_sets_have_the_stated_size_and_statistics(build, train):
    data = ready(build())
    assert (len(data.train_set) + len(data.val_set), len(data.test_sets["test"])) == (train, 10_000)
    pixels = data.train_set.source.images.reshape(-1, data.channels)
    np.testing.assert_allclose(pixels.mean(axis=0) / 255, data.mean, atol=2e-3)
    np.testing.assert_allclose(pixels.std(axis=0) / 255, data.std, atol=2e-3)
