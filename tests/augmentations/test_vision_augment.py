"""RandAugment and TrivialAugment against torchvision's own classes, operation by operation."""

import math

import pytest
import torch
from torchvision.transforms import v2

from robustlit.augmentations import RandAugment, TrivialAugment
from robustlit.augmentations.vision_ops import MOVING, OPERATIONS, run_on_image, run_on_mask
from tests.augmentations.style_cases import pictures, seeds

PAIRS = [(RandAugment(), v2.RandAugment()), (TrivialAugment(), v2.TrivialAugmentWide())]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_and_magnitudes_are_torchvisions(name, ours, theirs) -> None:
    image = (pictures(1, size=(64, 48))[0] * 255).byte()
    magnitudes, signed = theirs._AUGMENTATION_SPACE[name]
    table = magnitudes(31, 64, 48)
    for level in (0, 9, 17, 30):
        for sign in (1, -1) if signed else (1,):
            given = 0.0 if table is None else sign * float(table[level])
            found = sign * ours.scaled(name, level, (64, 48))
            assert table is None or found == pytest.approx(given, abs=1e-4)
            expected = theirs._apply_image_or_video_transform(
                image, name, given, interpolation=theirs.interpolation, fill=theirs._fill
            )
            assert torch.equal(run_on_image(image, name, given), expected)


def test_all_of_torchvisions_operations_are_there() -> None:
    for _, theirs in PAIRS:
        assert set(OPERATIONS) == set(theirs._AUGMENTATION_SPACE)


@pytest.mark.parametrize("op", [RandAugment(num_ops=3, magnitude=20, p=0.7), TrivialAugment(p=0.7)])
def test_images_run_step_by_step(op) -> None:
    images = (pictures(12) * 255).round() / 255
    params, before = op.sample(images.shape, seeds(12)), images.clone()
    result = op.apply(images, params)
    assert 0 < params.chosen.sum() < 12 and torch.equal(images, before)
    for i in range(12):
        image = (images[i] * 255).round().byte()
        for k in range(params.operation.shape[1]):
            name = OPERATIONS[params.operation[i, k]]
            sign = -1 if params.negative[i, k] and name not in ("Posterize", "Solarize") else 1
            image = run_on_image(image, name, sign * op.scaled(name, int(params.level[i, k]), (24, 33)))
        assert torch.equal(result[i], image / 255 if params.chosen[i] else images[i])


@pytest.mark.parametrize("name", OPERATIONS)
def test_masks_move_with_their_images(name) -> None:
    mask = torch.randint(0, 200, (40, 30))
    for magnitude in (0.3, -0.2) if name.startswith("Shear") else (9.0, -7.0):
        result = run_on_mask(mask, name, magnitude, 255)
        if name not in MOVING:
            assert result is mask
            continue
        image = run_on_image((mask + 1).byte()[None], name, magnitude)[0].long()  # 0 is beyond the border
        assert torch.equal(result, torch.where(image == 0, 255, image - 1)) and (result == 255).any()


def test_targets() -> None:
    op, masks = RandAugment(magnitude=30), torch.randint(0, 5, (8, 24, 33), dtype=torch.uint8)
    params, numbers = op.sample(torch.Size((8, 3, 24, 33)), seeds(8)), torch.arange(8)
    assert op.change_targets(numbers, params, 8) is numbers
    moved = op.change_targets(masks, params, 5)
    assert moved.dtype == torch.uint8 and torch.equal(op.change_targets(masks[:, None], params, 5)[:, 0], moved)
    for i in range(8):
        is_moved = any(OPERATIONS[number] in MOVING for number in params.operation[i])
        assert torch.equal(moved[i], masks[i]) == (not is_moved)


def test_draws_are_per_sample_and_uniform() -> None:
    n = 14_000
    params = TrivialAugment().sample(torch.Size((n, 3, 8, 8)), seeds(n))
    assert (torch.bincount(params.operation[:, 0], minlength=14) - 1000).abs().max() < 5 * math.sqrt(1000)
    assert (torch.bincount(params.level[:, 0], minlength=31) - n / 31).abs().max() < 5 * math.sqrt(n / 31)
    alone = TrivialAugment().sample(torch.Size((1, 3, 8, 8)), seeds(n)[7:8])
    assert alone.operation[0] == params.operation[7] and alone.level[0] == params.level[7]


@pytest.mark.parametrize("channels", [1, 3])
def test_same_for_any_batch_and_no_global_generator(channels) -> None:
    images, op = pictures(6, channels), RandAugment()
    before = torch.get_rng_state()
    whole = op(images, seeds(6))
    assert torch.equal(torch.cat([op(images[i : i + 1], seeds(6)[i : i + 1]) for i in range(6)]), whole)
    assert torch.equal(torch.get_rng_state(), before)


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="expected num_ops of at least 1 and magnitude of 0 … 30, got 0 and 9"):
        RandAugment(num_ops=0)
    with pytest.raises(ValueError, match="got 2 and 31"):
        RandAugment(magnitude=31)
