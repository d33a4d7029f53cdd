import os
import time
from itertools import pairwise

import pytest
import torch

from robustlit.core.random import sample_seeds
from robustlit.corruptions import corrupt
from robustlit.corruptions.ops.gaussian import gaussian_blur
from robustlit.corruptions.weather.frost import Frost, frost
from robustlit.corruptions.weather.frost_crystals import STYLES, frosted_pane
from robustlit.corruptions.weather.frost_textures import frost_textures, resized
from tests.corruptions import golden
from tests.corruptions.replays.weather import REPLAYS

CPU = torch.device("cpu")
# mean of mean |frosted − clean| over 2,000 crops of the published photographs, and its standard deviation over the
# crops, in grey levels, on ``picture``
PUBLISHED = {
    ("imagenet", 1): (64.5, 15.2),
    ("imagenet", 2): (75.7, 22.6),
    ("imagenet", 3): (81.3, 26.1),
    ("imagenet", 4): (76.5, 26.1),
    ("imagenet", 5): (79.5, 27.6),
    ("tiny", 1): (48.5, 11.5),
    ("tiny", 2): (54.2, 15.3),
    ("tiny", 3): (51.9, 17.1),
    ("tiny", 4): (54.9, 18.8),
    ("tiny", 5): (57.9, 20.5),
    ("cifar", 1): (32.3, 7.7),
    ("cifar", 2): (48.5, 11.6),
    ("cifar", 3): (54.3, 15.4),
    ("cifar", 4): (49.1, 15.4),
    ("cifar", 5): (47.1, 16.8),
}
SIDES = {"imagenet": 224, "tiny": 64, "cifar": 32}


def published() -> str:
    folder = os.environ.get("ROBUSTLIT_TEST_FROST")
    if folder is None:
        pytest.skip("no published frost photographs: $ROBUSTLIT_TEST_FROST is not set")
    return folder


def picture(side):
    """A gradient from sky to ground with a few soft shapes, as dark and as bright as photographs are."""
    row, column = torch.linspace(0, 1, side)[:, None], torch.linspace(0, 1, side)
    shapes = 0.5 + 0.3 * torch.sin(9 * row + 4 * column) * torch.cos(7 * column - 3 * row)
    return torch.stack((shapes * (0.9 - 0.3 * row), shapes * 0.85, shapes * (0.7 + 0.3 * row)))


def strength(corruption, preset, severity, count):
    """Mean of mean |frosted − clean| over crops and its standard deviation, in grey levels."""
    image, level = picture(SIDES[preset]), corruption.level(preset, severity)
    changes = []
    for seeds in sample_seeds(7, torch.arange(count)).split(20):
        images = image.expand(len(seeds), -1, -1, -1)
        changed = corruption.apply(images, corruption.sample(images.shape, seeds, level), level)
        changes.append((changed - images).abs().mean((1, 2, 3)) * 255)
    every = torch.cat(changes)
    return float(every.mean()), float(every.std())


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_published_photographs_give_the_published_output(preset, severity):
    corruption = Frost(published())
    arrays, level = golden.arrays(preset), corruption.level(preset, severity)
    draws = REPLAYS["frost"](golden.stream(severity), arrays["input"], level)
    ours = corruption.apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"frost_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.05


@pytest.mark.parametrize(("preset", "severity"), PUBLISHED)
def test_own_panes_are_as_strong_and_as_varied_as_the_published(preset, severity):
    mean, spread = strength(Frost(), preset, severity, 240)
    assert mean == pytest.approx(PUBLISHED[preset, severity][0], rel=0.15)
    assert spread == pytest.approx(PUBLISHED[preset, severity][1], rel=0.15)


@pytest.mark.parametrize(("preset", "severity"), [("imagenet", 3), ("tiny", 3), ("cifar", 3)])
def test_recorded_strength_is_that_of_the_published_photographs(preset, severity):
    mean, spread = strength(Frost(published()), preset, severity, 240)
    assert mean == pytest.approx(PUBLISHED[preset, severity][0], rel=0.08)
    assert spread == pytest.approx(PUBLISHED[preset, severity][1], rel=0.12)


def test_panes_are_made_quickly_are_always_the_same_and_differ():
    start = time.process_time()
    panes = [frosted_pane(style, seed) for seed, style in enumerate(STYLES)]
    assert time.process_time() - start < 3 * 3  # 0.5 s on a quiet machine, 3 s asked for
    assert len(panes) >= 5
    assert torch.equal(panes[0], frosted_pane(STYLES[0], 0))
    assert not torch.equal(panes[0], frosted_pane(STYLES[0], 1))
    for pane, style in zip(panes, STYLES, strict=True):
        assert torch.allclose(pane.mean((1, 2)), torch.tensor(style.color), atol=1)
        assert torch.allclose(pane.std((1, 2)), torch.tensor(style.contrast), rtol=0.08)
        assert torch.equal(pane, pane.round())


@pytest.mark.parametrize("seed", range(len(STYLES)))
def test_crystals_have_detail_at_several_scales(seed):
    pane = frosted_pane(STYLES[seed], seed).mean(0)[None, None]
    blurred = [pane, *(gaussian_blur(pane, sigma) for sigma in (1.5, 6.0, 24.0))]
    detail = [float((fine - coarse).std()) for fine, coarse in pairwise(blurred)]
    assert min(detail) > 0.15 * float(pane.std())


def test_crops_are_the_pictures_pixels():
    textures = frost_textures("procedural", 1.0, 40, 50, CPU)
    pictures, tops, lefts = torch.tensor([1, 4]), torch.tensor([7, 100]), torch.tensor([0, 33])
    crops = textures.crops(pictures, tops, lefts, 40, 50)
    for crop, number, top, left in zip(crops, (1, 4), (7, 100), (0, 33), strict=True):
        pane = frosted_pane(STYLES[number], number) / 255
        assert torch.equal(crop, pane[:, top : top + 40, left : left + 50])


def test_every_pane_and_every_place_is_drawn():
    draws = Frost().sample(torch.Size((3000, 3, 32, 32)), sample_seeds(0, torch.arange(3000)), (1.0, 0.2, 0.2))
    assert draws.picture.unique().tolist() == list(range(len(STYLES)))
    textures = frost_textures("procedural", 0.2, 32, 32, CPU)
    assert int(draws.top.min()) == 0 and int(draws.left.min()) == 0
    assert int(draws.top.max()) == int(textures.heights.max()) - 33
    assert int(draws.left.max()) == int(textures.widths.max()) - 33


@pytest.mark.parametrize("size", [(500, 300), (64, 900)])
def test_panes_are_enlarged_for_images_beyond_their_size(size):
    images = torch.full((1, 3, *size), 0.5)
    assert corrupt(images, "frost", 2, quantize=False).std() > 0.02


@pytest.mark.parametrize("factor", [0.2, 0.3, 1.7])
def test_resizing_is_opencvs(factor):
    cv2 = pytest.importorskip("cv2")
    pane = frosted_pane(STYLES[0], 0)[:, :315, :527]
    theirs = cv2.resize(pane.permute(1, 2, 0).byte().numpy(), (0, 0), fx=factor, fy=factor)
    ours = resized(pane, factor)
    assert ours.shape[1:] == theirs.shape[:2]
    assert (ours - torch.from_numpy(theirs).permute(2, 0, 1).float()).abs().max() <= 1


def test_weights():
    images, panes = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), 0.2)
    assert torch.allclose(frost(images, panes, 0.8, 0.6), torch.tensor(0.52))


def test_labels_tell_the_panes_apart():
    assert (Frost().name, Frost().label) == ("frost", "frost_procedural")
    assert Frost("imagecorruptions").label == Frost("/somewhere").label == "frost"


def test_a_missing_package_folder_or_file_is_one_clear_line(tmp_path, monkeypatch):
    images = torch.rand(1, 3, 32, 32)
    monkeypatch.setattr("robustlit.corruptions.weather.frost_files.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"^expected the package imagecorruptions .*; try pip install .*$"):
        corrupt(images, Frost("imagecorruptions"), 1)
    with pytest.raises(ValueError, match=r"^expected a folder with frost1.png .*; try source='procedural'$"):
        corrupt(images, Frost(str(tmp_path / "none")), 1)
    with pytest.raises(ValueError, match=r"^expected frost1.png in .*, got no such file; try .*$"):
        corrupt(images, Frost(str(tmp_path)), 1)
    (tmp_path / "frost1.png").write_bytes(b"another picture")
    with pytest.raises(ValueError, match=r"^expected the published frost1.png .*; try .*$"):
        corrupt(images, Frost(str(tmp_path)), 1)


def test_the_package_is_found_without_being_imported(tmp_path, monkeypatch):
    (tmp_path / "imagecorruptions").mkdir()
    (tmp_path / "imagecorruptions" / "__init__.py").write_text("raise ImportError('broken')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match=r"expected a folder with frost1\.png"):
        corrupt(torch.rand(1, 3, 32, 32), Frost("imagecorruptions"), 1)
