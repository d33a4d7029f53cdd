"""The albumentations transforms make the same pictures as the batched operations, and keep their draws."""

import json
import warnings

import albumentations
import numpy as np
import pytest
import torch

from robustlit.augmentations import (
    PRIME,
    AdaIN,
    AmplitudePhase,
    AugMix,
    ChannelStatistics,
    ClassMasks,
    CutMix,
    Cutout,
    GaussianNoise,
    MixUp,
    PaintingByNumbers,
    PatchGaussian,
    RandAugment,
    Reinhard,
    SquarePatch,
    StyleTransfer,
    TrivialAugment,
    Voronoi,
)
from robustlit.augmentations.adain import Encoder, style_decoder
from robustlit.augmentations.settings import plain_settings, rebuilt
from robustlit.core.random import mix

RNG = np.random.default_rng(0)
IMAGE, OTHER = (RNG.integers(0, 256, (40, 56, 3), dtype=np.uint8) for _ in range(2))
MASK, OTHER_MASK = (RNG.integers(0, 5, (40, 56), dtype=np.uint8) for _ in range(2))
ALONE = [
    PatchGaussian(9, max_sigma=0.8),
    GaussianNoise(0.3, p=1.0, sample_up_to=True, region=Voronoi(3)),
    Cutout(8, fill=(0.1, 0.5, 0.9)),
    StyleTransfer("random_convolution", p=1.0, region=SquarePatch(20)),
    AugMix(depth=2, jsd_weight=12.0),
    PRIME(),
    RandAugment(),
    TrivialAugment(),
]
MASKED = [PaintingByNumbers(5, p=1.0), GaussianNoise(p=1.0, region=ClassMasks(5, styles=2))]
PARTNERED = [
    StyleTransfer("fourier", p=1.0, beta=(0.05, 0.1)),
    ChannelStatistics(p=1.0, region=Voronoi(4)),
    Reinhard(p=1.0, alpha=(0.2, 0.9)),
    AmplitudePhase(p=1.0),
    CutMix(),
]


def given(operation) -> dict:
    data = {"image": IMAGE, "mask": MASK}
    if operation.needs_partners:
        data["partners"] = [{"image": OTHER, "mask": OTHER_MASK}]
    return data


def pixels(image) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("operation", [*ALONE, *MASKED, *PARTNERED], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_same_draws_same_picture(operation, kind) -> None:
    """The seed that albumentations drew, given to the batched operation: at most half a grey level apart."""
    data = given(operation)
    data["image"] = IMAGE if kind == np.uint8 else IMAGE.astype(np.float32) / 255
    compose = albumentations.ReplayCompose([operation.to_albumentations()])
    compose.set_random_seed(3)
    found = compose(**data)
    seed = found["replay"]["transforms"][0]["params"]["seed"]
    images, masks, seeds = pixels(IMAGE), torch.from_numpy(MASK)[None].long(), [seed]
    if operation.needs_partners:
        images = torch.cat([images, pixels(OTHER)])
        masks = torch.cat([masks, torch.from_numpy(OTHER_MASK)[None].long()])
        seeds.append(mix(seed, 0))
    params = operation.sample(images.shape, torch.tensor(seeds))
    batched = operation.apply(images, params, masks)[0]
    got = torch.from_numpy(found["image"]).permute(2, 0, 1) / (255 if kind == np.uint8 else 1)
    assert found["image"].dtype == kind
    assert (got - batched).abs().max() <= (0.5 / 255 if kind == np.uint8 else 0) + 1e-6
    assert (batched - pixels(IMAGE)[0]).abs().max() > 0.01
    moved = operation.change_targets(masks, params, 0)[0] if operation.changes_targets else masks[0]
    assert found["mask"].dtype == MASK.dtype and np.array_equal(found["mask"], moved.numpy().astype(np.uint8))


@pytest.mark.parametrize("operation", [*ALONE, *MASKED, *PARTNERED], ids=lambda each: type(each).__name__)
def test_replay_and_file(operation) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transform = operation.to_albumentations()
        compose = albumentations.ReplayCompose([transform])
        compose.set_random_seed(3)
        found = compose(**given(operation))
        again = albumentations.ReplayCompose.replay(found["replay"], **given(operation))
        assert np.array_equal(again["image"], found["image"]) and np.array_equal(again["mask"], found["mask"])
        written = albumentations.to_dict(transform)
        read = albumentations.from_dict(json.loads(json.dumps(written)))
    assert albumentations.to_dict(read) == written
    both = [albumentations.Compose([each], seed=5) for each in (operation.to_albumentations(), read)]
    assert np.array_equal(*(compose(**given(operation))["image"] for compose in both))


def test_image_only_or_dual() -> None:
    kinds = {
        each: isinstance(each.to_albumentations(), albumentations.ImageOnlyTransform) for each in ALONE + PARTNERED
    }
    assert [type(each) for each, only in kinds.items() if not only] == [RandAugment, TrivialAugment, CutMix]


def test_probability_is_albumentations() -> None:
    assert GaussianNoise(p=0.3).to_albumentations().p == 0.3
    compose = albumentations.Compose([GaussianNoise(p=0.5).to_albumentations()], seed=0)
    changed = sum(not np.array_equal(compose(image=IMAGE)["image"], IMAGE) for _ in range(200))
    assert 70 < changed < 130  # 100 ± 4 deviations


def test_grey_images_of_two_axes() -> None:
    grey = IMAGE[..., 0]
    found = albumentations.Compose([PatchGaussian(20).to_albumentations()], seed=0)(image=grey)["image"]
    assert found.shape == grey.shape and not np.array_equal(found, grey)


@pytest.mark.parametrize("operation", [MixUp(), StyleTransfer("fourier", label_gamma=0.8)])
def test_mixed_labels_have_no_place(operation) -> None:
    with pytest.raises(ValueError, match="which mixes them; try the callback Augmentation"):
        operation.to_albumentations()


def test_what_no_file_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="expected styles that a file can hold, got a tensor"):
        StyleTransfer("fourier", styles=torch.rand(2, 3, 8, 8)).to_albumentations()
    with pytest.raises(ValueError, match="expected encoder that a file can hold, got Encoder"):
        AdaIN(Encoder((4, 4, 8, 8)), style_decoder((8, 8, 4, 4))).to_albumentations()


@pytest.mark.parametrize(("operation", "key"), [(PARTNERED[0], "partners"), (MASKED[0], "mask")])
def test_missing_data_are_named(operation, key) -> None:
    with pytest.raises(ValueError, match=f"expected {key} beside the image"):
        albumentations.Compose([operation.to_albumentations()])(image=IMAGE)


def test_boxes_are_not_pasted_into_images_whose_label_would_stay() -> None:
    with pytest.raises(ValueError, match="expected mask beside the image for CutMix"):
        albumentations.Compose([CutMix().to_albumentations()])(image=IMAGE, partners=[OTHER])


@pytest.mark.parametrize("operation", [CutMix(), ChannelStatistics(p=1.0, region=ClassMasks(5))])
@pytest.mark.parametrize("partner", [OTHER, {"image": OTHER}], ids=["array", "without mask"])
def test_partners_need_masks_where_masks_are_read(operation, partner) -> None:
    with pytest.raises(ValueError, match=r"expected partners with masks for .*, got images alone"):
        albumentations.Compose([operation.to_albumentations()])(image=IMAGE, mask=MASK, partners=[partner])


@pytest.mark.parametrize("operation", [*ALONE, *MASKED, *PARTNERED, MixUp(0.4)], ids=lambda each: type(each).__name__)
def test_settings_make_the_same_operation(operation) -> None:
    other = rebuilt(type(operation).__name__, json.loads(json.dumps(plain_settings(operation))))
    assert type(other) is type(operation) and repr(other) == repr(operation)
    assert plain_settings(other) == plain_settings(operation)


def test_an_unknown_name_has_its_nearest() -> None:
    with pytest.raises(ValueError, match="try 'PatchGaussian'"):
        rebuilt("PatchGausian", {})
