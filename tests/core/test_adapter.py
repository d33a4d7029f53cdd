"""Batches of every usual kind are read, and rebuilt without touching the original."""

from collections import OrderedDict, namedtuple
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustlit.core import Adapter, check_pixels

Pair = namedtuple("Pair", ["pictures", "labels"])
IMAGES, TARGETS = torch.rand(2, 3, 4, 4), torch.tensor([0, 2])

BATCHES = {
    "tuple": (IMAGES, TARGETS),
    "list": [IMAGES, TARGETS],
    "named tuple": Pair(IMAGES, TARGETS),
    "longer": (IMAGES, TARGETS, ["a", "b"]),
    "dict": {"image": IMAGES, "target": TARGETS, "name": ["a", "b"]},
    "other keys": OrderedDict(x=IMAGES, y=TARGETS),
    "hub": {"pixel_values": IMAGES, "labels": TARGETS},
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES.keys())
def test_reads_and_rebuilds(batch) -> None:
    adapter = Adapter()
    assert adapter.images(batch) is IMAGES and adapter.targets(batch) is TARGETS
    before = list(batch.values()) if isinstance(batch, dict) else list(batch)
    new = adapter.replace(batch, IMAGES * 0, TARGETS + 1)
    assert type(new) is type(batch) and len(new) == len(batch)
    assert adapter.images(new).sum() == 0 and adapter.targets(new).tolist() == [1, 3]
    after = list(batch.values()) if isinstance(batch, dict) else list(batch)
    assert all(a is b for a, b in zip(before, after, strict=True))


def test_position_from_the_end() -> None:
    adapter = Adapter(image=-1, target=0)
    assert adapter.images(adapter.replace((TARGETS, IMAGES), IMAGES + 1)).min() >= 1


def test_soft_targets_only_where_they_are_understood() -> None:
    soft = torch.full((2, 3), 1 / 3)
    assert Adapter(soft_targets=True).replace((IMAGES, TARGETS), IMAGES, soft)[1] is soft
    with pytest.raises(ValueError, match=r"expected class indices N.*soft_targets=True"):
        Adapter().replace((IMAGES, TARGETS), IMAGES, soft)


def test_index_or_hash() -> None:
    adapter = Adapter()
    assert adapter.indices({"image": IMAGES, "target": TARGETS, "index": torch.tensor([7, 9])}).tolist() == [7, 9]
    hashed = adapter.indices((IMAGES, TARGETS))
    assert hashed.dtype == torch.int64 and torch.equal(adapter.indices([IMAGES, TARGETS]), hashed)


def test_named_places_and_functions() -> None:
    nested = {"data": {"left": IMAGES}, "gt": TARGETS}
    adapter = Adapter(
        image=lambda batch: batch["data"]["left"],
        target="gt",
        put=lambda batch, images, targets: {**batch, "data": {"left": images}},
    )
    assert adapter.images(nested) is IMAGES and adapter.targets(nested) is TARGETS
    assert adapter.images(adapter.replace(nested, IMAGES + 1)).min() >= 1
    with pytest.raises(TypeError, match="expected `put` beside a callable `image`"):
        Adapter(image=lambda batch: batch["data"]["left"]).replace(nested, IMAGES)


@pytest.mark.parametrize("batch", [{"a": IMAGES}, "text", SimpleNamespace(image=IMAGES), (), {"image": "path"}])
def test_unreadable_batches_say_what_to_try(batch) -> None:
    with pytest.raises(TypeError, match=r"expected .*got .*try Adapter\(image="):
        Adapter().images(batch)


def test_normalised_batches_are_pixels_inside() -> None:
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    normalised = (IMAGES - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    adapter = Adapter(mean=mean, std=std)
    torch.testing.assert_close(adapter.images((normalised, TARGETS)), IMAGES)
    torch.testing.assert_close(adapter.replace((normalised, TARGETS), IMAGES)[0], normalised)
    torch.testing.assert_close(adapter.predict(nn.Identity(), IMAGES), normalised)
    with pytest.raises(ValueError, match="expected mean and std together"):
        Adapter(mean=mean)


def test_logits_wherever_they_are() -> None:
    logits = torch.rand(2, 5)
    for output in (logits, {"out": logits}, {"logits": logits, "aux": 0}, SimpleNamespace(logits=logits)):
        assert Adapter().logits_of(output) is logits
    assert Adapter(logits="scores").logits_of({"scores": logits}) is logits
    assert Adapter(logits=lambda output: output[1]).logits_of((0, logits)) is logits
    with pytest.raises(TypeError, match="expected logits as a tensor"):
        Adapter().logits_of((logits,))


@pytest.mark.parametrize(
    ("shape", "channels", "task"),
    [
        ((2,), 5, "classification"),
        ((2, 5), 5, "multilabel"),
        ((2, 4, 4), 5, "segmentation"),
        ((2, 4, 4), 1, "binary_segmentation"),
        ((2, 1, 4, 4), 1, "binary_segmentation"),
        ((2, 1, 4, 4), 5, "segmentation"),
    ],
)
def test_task_from_shapes(shape, channels, task) -> None:
    targets = torch.zeros(shape, dtype=torch.long)
    logits = torch.zeros(2, channels, *shape[-2:]) if len(shape) > 2 else torch.zeros(2, channels)
    assert Adapter().task_of(targets, logits) == task


def test_tasks_that_shapes_cannot_tell() -> None:
    soft = torch.full((2, 4), 0.25)
    assert Adapter(soft_targets=True).task_of(soft) == "classification"
    assert Adapter(task="multilabel").task_of(TARGETS) == "multilabel"
    with pytest.raises(ValueError, match="expected targets of shape"):
        Adapter().task_of(torch.zeros(2, 3, 4, 4, 4))


def test_per_sample_losses() -> None:
    logits = torch.randn(2, 5)
    torch.testing.assert_close(
        Adapter().per_sample_loss(logits, TARGETS), -logits.log_softmax(1)[torch.arange(2), TARGETS]
    )
    labels = torch.randint(2, (2, 5))
    bce = -(labels * F.logsigmoid(logits) + (1 - labels) * F.logsigmoid(-logits)).mean(1)
    torch.testing.assert_close(Adapter().per_sample_loss(logits, labels), bce)


def test_ignored_pixels_do_not_count() -> None:
    logits, masks = torch.randn(2, 3, 4, 4), torch.randint(3, (2, 4, 4))
    masks[0, :2] = 255
    masks[1] = 255
    losses = Adapter(ignore_index=255).per_sample_loss(logits, masks)
    valid = F.cross_entropy(logits[:1, :, 2:], masks[:1, 2:])
    torch.testing.assert_close(losses, torch.stack([valid, torch.tensor(0.0)]))
    several = Adapter().per_sample_loss(logits, masks.clamp(max=2)[:, None])
    torch.testing.assert_close(several, Adapter().per_sample_loss(logits, masks.clamp(max=2)))
    binary = torch.randint(2, (2, 1, 4, 4))
    expected = F.binary_cross_entropy_with_logits(logits[:, :1], binary.float(), reduction="none").flatten(1).mean(1)
    torch.testing.assert_close(Adapter().per_sample_loss(logits[:, :1], binary), expected)


def test_a_module_may_bring_its_own() -> None:
    module = nn.Identity()
    assert Adapter.for_module(module) == Adapter()
    module.adapter = Adapter(ignore_index=11)
    assert Adapter.for_module(module).ignore_index == 11


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_normalised_images_of_any_precision_come_back_to_pixels(dtype) -> None:
    levels = (torch.arange(256) / 255).view(1, 1, 16, 16).expand(2, 3, -1, -1)
    adapter = Adapter(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    mean, std = (torch.tensor(numbers).view(1, 3, 1, 1) for numbers in (adapter.mean, adapter.std))
    batch = ((levels - mean) / std).to(dtype)  # as precision "bf16-true" casts what the data set has normalised
    pixels = adapter.to_pixels(batch)
    check_pixels(pixels)
    assert pixels.dtype == dtype
    assert 0 <= pixels.min() <= pixels.max() <= 1
    rounding = torch.finfo(dtype).eps
    assert (pixels - levels).abs().max() <= rounding + 1e-7  # half a step of the batch and half a step of the result
    exact = ((pixels.float() - mean) / std).to(dtype)
    assert torch.equal(adapter.from_pixels(pixels), exact)


def test_pixels_far_beyond_0_to_1_are_not_hidden() -> None:
    adapter = Adapter(mean=(0.5,), std=(0.25,))
    with pytest.raises(ValueError, match="looks normalised"):
        check_pixels(adapter.to_pixels(torch.full((1, 1, 4, 4), -3.0)))
