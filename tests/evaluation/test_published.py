"""Sets on disk: the figures are those of the corruptions computed on the fly, and what is missing is said."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from robustlit.corruptions import COMMON, EXTRA, resolve
from robustlit.data import ImageFolder, Npz
from robustlit.data.corrupted import Plan, write_corrupted
from robustlit.evaluation import CorruptionTest, PublishedTest
from robustlit.evaluation.corrupted.published_cells import conditions_of, parts, why_not_mce_of
from robustlit.modules import ClassificationModule
from tests.tiny import trainer

CLASSES = 4


def pictures(count: int, size: int = 32) -> np.ndarray:
    """Smooth random pictures, so that predictions differ and change under corruption."""
    rough = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(3))
    smooth = torch.nn.functional.interpolate(rough, size=size, mode="bilinear")
    return (smooth * 255).byte().permute(0, 2, 3, 1).numpy()


@pytest.fixture(scope="module")
def module() -> ClassificationModule:
    """A net whose predictions vary from image to image."""
    torch.manual_seed(0)
    head = nn.Linear(8 * 16, CLASSES)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), head)
    made = ClassificationModule(net, num_classes=CLASSES, mean=[0.5] * 3, std=[0.25] * 3).eval()
    with torch.no_grad():
        head.bias -= made(torch.from_numpy(pictures(32)).permute(0, 3, 1, 2) / 255).mean(0)  # no class for all images
        head.weight *= 4
        head.bias *= 4
    return made


@pytest.fixture(scope="module")
def array_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arrays") / "set.npz"
    images = pictures(21)
    labels = np.arange(21) % CLASSES
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return path


@pytest.fixture(scope="module")
def arrays(array_file: Path) -> Npz:
    return ready(Npz(array_file, batch_size=8, num_workers=0))


def ready(data):
    data.prepare_data()
    data.setup("fit")
    return data


def write(source: Path, out: Path, *names: str, **settings) -> Path:
    write_corrupted(source, out, Plan(tuple(map(resolve, names)), **settings))
    return out


def figures(rows):
    """What was measured, without what it is called."""
    return {
        row.metric: (row.value, row.low, row.high, row.n) for row in rows if row.metric not in ("clean", "relative")
    }


def test_a_written_set_gives_exactly_the_figures_of_the_corruptions_on_the_fly(module, arrays, array_file, tmp_path):
    written = write(array_file, tmp_path / "set-c", *COMMON)
    live = CorruptionTest(["common"]).run(module, arrays, trainer([]))
    disk = PublishedTest(written).run(module, arrays, trainer([]))
    assert figures(disk) == figures(live)
    assert len({value for value, *_ in figures(live).values()}) > 8  # the cells do differ
    assert len([row for row in disk if "severity" in row.conditions]) == 75
    assert {row.test for row in disk} == {"set-c"}
    conditions = disk[0].conditions
    assert (conditions["source"], conditions["storage"], conditions["cells"]) == ("arrays", "npy", "75 of 75")
    assert (conditions["preset"], conditions["frost"], conditions["evaluation_seed"]) == ("cifar", "procedural", 0)
    assert "missing" not in conditions


@pytest.mark.parametrize("storage", ["png", "jpeg85"])
def test_folders_of_pictures_likewise(storage, module, tmp_path):
    for split in ("train", "test"):
        for place, image in enumerate(pictures(12)):
            file = tmp_path / "photos" / split / f"class {place % CLASSES}" / f"{place}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(file)
    data = ready(ImageFolder(tmp_path / "photos", batch_size=8, num_workers=0))
    names = ("fog", "gaussian_noise", "spatter")
    written = write(tmp_path / "photos" / "test", tmp_path / "c", *names, storage=storage)
    live = CorruptionTest([], own=names, storage=None if storage == "png" else storage).run(module, data, trainer([]))
    disk = PublishedTest(written, name="c").run(module, data, trainer([]))

    def cells(rows):
        return {row.metric: row.value for row in rows if "corruption" in row.conditions}

    assert cells(disk) == cells(live)
    assert {row.test for row in disk} == {"c-common", "c-extra"}  # a published mean is over one family
    assert {row.conditions["source"] for row in disk} == {"class_folders"}
    assert {row.conditions["storage"] for row in disk} == {storage}


def test_one_forward_an_image_and_no_trace(module, arrays, array_file, tmp_path):
    written = write(array_file, tmp_path / "c", "fog", "contrast", severities=(1, 3))
    seen = []
    hook = module.register_forward_hook(lambda _, inputs, output: seen.append(len(output)))
    before, splits = {key: value.clone() for key, value in module.state_dict().items()}, dict(arrays.test_sets)
    running = trainer([])
    callbacks = list(running.callbacks)
    module.train()
    PublishedTest(written).run(module, arrays, running)
    hook.remove()
    assert sum(seen) == 2 * 2 * 21
    assert arrays.test_sets == splits
    assert running.callbacks == callbacks
    assert module.training
    module.eval()
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_what_is_missing_is_said_beside_every_mean(module, arrays, array_file, tmp_path):
    written = write(array_file, tmp_path / "c", "fog", "contrast", severities=(1, 3))
    rows = PublishedTest(written).run(module, arrays, trainer([]))
    mean = next(row for row in rows if row.metric == "accuracy")
    assert mean.conditions["cells"] == "4 of 75"
    assert mean.conditions["missing"] == "gaussian_noise, shot_noise, impulse_noise, defocus_blur, glass_blur, …"
    own = [row.value for row in rows if "severity" in row.conditions]
    assert mean.value == pytest.approx(sum(own) / 4)
    assert next(row for row in rows if row.metric == "mean_corruption_error").conditions["not_mce"]


def test_the_expected_keys_are_those_of_the_rows(module, arrays, array_file, tmp_path):
    test = PublishedTest(write(array_file, tmp_path / "c", "fog", "speckle_noise", severities=(2,)))
    rows = test.run(module, arrays, trainer([]))
    expected = set(test.expects(arrays))
    found = {f"{row.test}/{row.metric}" for row in rows}
    assert expected - found == {"c-common/mce", "c-extra/mce"}
    assert found <= expected


def test_a_set_of_other_classes_is_refused(arrays, array_file, tmp_path):
    with np.load(array_file) as found:
        content = {**found, "y_test": found["y_test"] + 3}
    np.savez(tmp_path / "more.npz", **content)
    written = write(tmp_path / "more.npz", tmp_path / "c", "fog", severities=(1,))
    with pytest.raises(ValueError, match=r"expected labels 0 … 3 in .*labels.npy"):
        PublishedTest(written).expects(arrays)


def test_classes_in_another_order_are_refused(tmp_path):
    for name in ("b", "a"):
        (tmp_path / "c" / "fog" / "1" / name).mkdir(parents=True)
        Image.new("RGB", (16, 16)).save(tmp_path / "c" / "fog" / "1" / name / "1.png")
    images, labels = np.zeros((4, 16, 16, 3), np.uint8), np.array([0, 1, 0, 1])
    np.savez(tmp_path / "set.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    data = ready(Npz(tmp_path / "set.npz", class_names=["b", "a"], num_workers=0))
    with pytest.raises(ValueError, match="in the order of the data, got 'a' for 'b' at 0"):
        PublishedTest(tmp_path / "c").expects(data)


def imagenet_c(tmp_path: Path, *names: str):
    from robustlit.data.corrupted import ClassFolders

    found = ClassFolders.__new__(ClassFolders)
    found.path, found.provenance = tmp_path / "imagenet-c", None
    found.class_names, found.num_classes = tuple(f"n{number:08d}" for number in range(1000)), 1000
    found.cells = tuple((name, severity) for name in names for severity in (1, 2, 3, 4, 5))
    return found


def test_imagenet_c_as_published_is_mce_and_nothing_less(tmp_path):
    found = imagenet_c(tmp_path, *COMMON, *EXTRA)
    common, extra = parts("imagenet-c", found)
    assert (common.test, extra.test) == ("imagenet-c-common", "imagenet-c-extra")
    assert why_not_mce_of(found, common, (224, 224), transformed=False) is None
    assert "15 common" in why_not_mce_of(found, extra, (224, 224), transformed=False)
    assert "64×64" in why_not_mce_of(found, common, (64, 64), transformed=False)
    assert "transforms" in why_not_mce_of(found, common, (224, 224), transformed=True)
    (part,) = parts("imagenet-c", imagenet_c(tmp_path, *COMMON[:-1]))
    assert "5 of the 75 cells are missing" in why_not_mce_of(found, part, (224, 224), transformed=False)
    assert conditions_of(found, part, "imagenet-c", (224, 224))["missing"] == "jpeg_compression"


def test_conditions_without_severities_have_one_figure_each(module, tmp_path):
    """ACDC's layout, whose photographs differ from condition to condition."""
    from robustlit.data import MaskFolder
    from robustlit.modules import SegmentationModule

    for condition, count in (("fog", 3), ("night", 2)):
        for kind, ending in (("rgb_anon", "rgb_anon"), ("gt", "gt_labelTrainIds")):
            folder = tmp_path / "acdc" / kind / condition / "val"
            folder.mkdir(parents=True)
            for place in range(count):
                picture = pictures(place + 1, 16)[-1] if kind == "rgb_anon" else np.full((16, 16), place, np.uint8)
                Image.fromarray(picture).save(folder / f"{place}_{ending}.png")
    for kind in ("images", "masks"):
        (tmp_path / "own" / kind).mkdir(parents=True)
        for place in range(4):
            Image.new("RGB" if kind == "images" else "L", (16, 16)).save(tmp_path / "own" / kind / f"{place}.png")
    data = ready(MaskFolder(tmp_path / "own", num_classes=19, ignore_index=255, batch_size=2, num_workers=0))
    net = torch.nn.Conv2d(3, 19, 1)
    rows = PublishedTest(tmp_path / "acdc").run(
        SegmentationModule(net, num_classes=19, ignore_index=255), data, trainer([])
    )
    single = {row.metric: row for row in rows if "corruption" in row.conditions}
    assert set(single) == {"iou/fog", "iou/night"}
    assert (single["iou/fog"].n, single["iou/night"].n) == (3, 2)
    assert single["iou/fog"].low is not None
    mean = next(row for row in rows if row.metric == "iou")
    assert mean.value == pytest.approx((single["iou/fog"].value + single["iou/night"].value) / 2)
    assert mean.conditions["cells"] == "2 of 2"


def test_single_missing_severities_are_named(tmp_path):
    found = imagenet_c(tmp_path, *EXTRA)
    found.cells = found.cells[1:]
    (part,) = parts("c", found)
    assert conditions_of(found, part, "c", (224, 224))["missing"] == "speckle_noise 1"


def test_frost_procedural_beside_frost_is_in_no_published_mean(tmp_path):
    common, other = parts("c", imagenet_c(tmp_path, *COMMON, "frost_procedural"))
    assert (common.family, len(common.cells), common.missing) == ("common", 75, ())
    assert {label for label, _ in other.cells} == {"frost_procedural"}
    found = imagenet_c(tmp_path, *COMMON, "frost_procedural")
    assert conditions_of(found, common, "c", (224, 224))["left_out"] == "frost_procedural, as frost is there"
    assert "left_out" not in conditions_of(found, other, "c", (224, 224))
    alone = imagenet_c(tmp_path, *(name for name in COMMON if name != "frost"), "frost_procedural")
    (part,) = parts("c", alone)
    assert len(part.cells) == 75
    assert "left_out" not in conditions_of(alone, part, "c", (224, 224))
