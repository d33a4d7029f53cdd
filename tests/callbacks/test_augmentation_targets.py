"""What augmentation does to targets and to the loss: masks, soft labels, the Jensen-Shannon term."""

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.precision import HalfPrecision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from robustlit.augmentations import AugMix, CutMix, MixUp, PaintingByNumbers, PatchGaussian, RandAugment, StyleTransfer
from robustlit.augmentations.consistency import jensen_shannon
from robustlit.callbacks import Augmentation
from robustlit.callbacks.augmentation_chain import run_chain
from robustlit.core import Adapter
from robustlit.core.pixels import pixel_hash
from robustlit.core.random import fold, mix, sample_seeds
from tests.tiny import DictModule, ForeignModule, loader, trainer, weights

SOFT = Adapter(soft_targets=True)


class Listener(ForeignModule):
    """Keeps the batches that its step got."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.seen: list[tuple[Tensor, Tensor]] = []

    def training_step(self, batch, batch_idx: int) -> Tensor:
        self.seen.append((batch[0].clone(), batch[1].clone()))
        return super().training_step(batch, batch_idx)


class Masks(Dataset):
    def __init__(self, count: int = 8) -> None:
        generator = torch.Generator().manual_seed(2)
        self.images = torch.rand(count, 3, 8, 8, generator=generator)
        self.masks = torch.randint(4, (count, 8, 8), generator=generator)
        self.masks[:, :2] = 255

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.masks[index]


class Segmenter(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network, self.seen, self.adapter = nn.Conv2d(3, 4, 1), [], Adapter(ignore_index=255)

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)

    def training_step(self, batch, batch_idx: int) -> Tensor:
        self.seen.append(batch)
        return F.cross_entropy(self(batch[0]), batch[1], ignore_index=255)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def seeds_of(indices: Tensor, name: str, epoch: int = 0) -> Tensor:
    return fold(sample_seeds(mix(11, "augment", epoch), indices), name)


def segmented(*operations) -> tuple[Masks, list]:
    data, module = Masks(), Segmenter()
    loaded = [(data.images, data.masks)]
    trainer([Augmentation(operations, seed=11)], max_epochs=1).fit(module, DataLoader(loaded, batch_size=None))
    return data, module.seen


def test_labels_become_soft_where_the_module_understands_them() -> None:
    module = Listener()
    callback = Augmentation(MixUp(alpha=1.0), seed=11, adapter=SOFT, num_classes=4)
    trainer([callback], max_epochs=1).fit(module, loader())
    images, targets = module.seen[0]
    assert targets.shape == (8, 4)
    torch.testing.assert_close(targets.sum(1), torch.ones(8))
    hard = loader().dataset.targets[:8]
    own = targets.gather(1, hard[:, None])[:, 0]
    partners = targets.clone().scatter_(1, hard[:, None], 0)
    original = loader().dataset.images
    i = int((own < 1).nonzero()[0, 0])
    assert 0 < own[i] < 1 and partners[i].sum() > 0
    differences = [(images[i] - torch.lerp(original[j], original[i], own[i])).abs().max() for j in range(8)]
    assert min(differences) < 1e-5


@pytest.mark.parametrize("operation", [MixUp(), CutMix(), StyleTransfer("fourier", p=1.0, label_gamma=0.8)])
def test_soft_labels_are_refused_where_nobody_said_that_they_are_understood(operation) -> None:
    with pytest.raises(ValueError, match="expected class indices N, which this module's step understands"):
        trainer([Augmentation(operation, num_classes=4)]).fit(ForeignModule(), loader())


@pytest.mark.parametrize("operation", [MixUp(), CutMix(), StyleTransfer("fourier", p=0.5, label_gamma=0.8)])
def test_in_a_step_of_true_bfloat16_soft_labels_are_those_of_float32(operation) -> None:
    images, targets, seeds = torch.rand(8, 3, 8, 8), torch.arange(8), sample_seeds(1, torch.arange(8))
    expected = run_chain({"it": operation}, images, targets, seeds, 8).targets
    with HalfPrecision("bf16-true").train_step_context():
        assert torch.equal(run_chain({"it": operation}, images, targets, seeds, 8).targets, expected)


def test_soft_labels_need_the_number_of_classes() -> None:
    with pytest.raises(ValueError, match=r"expected the number of classes.*try Augmentation\(num_classes=10\)"):
        trainer([Augmentation(MixUp(), adapter=SOFT)]).fit(ForeignModule(), loader())


def test_photometric_operations_leave_the_mask_the_same_object() -> None:
    data, seen = segmented(PatchGaussian(5), StyleTransfer("fourier", p=1.0), AugMix(geometric=False))
    assert seen[0][1] is data.masks and not torch.equal(seen[0][0], data.images)


def test_moving_operations_move_the_mask_and_fill_with_the_ignore_index() -> None:
    data, seen = segmented(RandAugment(num_ops=2, magnitude=20))
    masks = seen[0][1]
    assert not torch.equal(masks, data.masks) and set(masks.unique().tolist()) <= {0, 1, 2, 3, 255}


def test_cutmix_pastes_the_masks_of_the_partners() -> None:
    data, seen = segmented(CutMix())
    images, masks = seen[0]
    for i in range(8):
        moved = (images[i] != data.images[i]).any(0)
        sources = [j for j in range(8) if torch.equal(images[i][:, moved], data.images[j][:, moved])]
        assert all(torch.equal(masks[i][moved], data.masks[j][moved]) for j in sources) and sources
        assert torch.equal(masks[i][~moved], data.masks[i][~moved])


def test_painting_by_numbers_reads_the_masks() -> None:
    data, seen = segmented(PaintingByNumbers(4, alpha=1.0, p=1.0))
    images, masks = seen[0]
    assert masks is data.masks
    assert torch.equal(images[:, :, :2], data.images[:, :, :2]), "ignored pixels keep their colour"
    one = images.permute(0, 2, 3, 1)[data.masks == 1]
    assert torch.equal(one, one[:1].expand_as(one)), "one colour a class"


@pytest.mark.parametrize("operation", [AugMix(), MixUp()])
def test_operations_without_a_meaning_for_masks_are_refused(operation) -> None:
    with pytest.raises(ValueError, match="expected targets"):
        segmented(operation)


def test_operations_that_need_masks_are_refused_on_labels() -> None:
    with pytest.raises(ValueError, match="expected class masks of shape"):
        trainer([Augmentation(PaintingByNumbers(4, p=1.0))]).fit(ForeignModule(), loader())


def test_the_divergence_equals_a_hand_written_loop() -> None:
    """The module's step sees clean images; two mixtures of each and the step's logits make the term."""
    torch.manual_seed(3)
    module = DictModule()
    operation = AugMix(severity=3, jsd_weight=12.0)
    trainer([Augmentation(operation, seed=11)], max_epochs=1).fit(module, loader("dict"))
    torch.manual_seed(3)
    other = DictModule()
    optimizer, data = other.configure_optimizers(), loader().dataset
    for start in range(0, 32, 8):
        images, targets = data.images[start : start + 8], data.targets[start : start + 8]
        plain = sample_seeds(mix(11, "augment", 0), torch.arange(start, start + 8))
        views = [operation(images, fold(plain, view, "aug_mix")) for view in ("first view", "second view")]
        clean, both = other(images), other(torch.cat(views))
        p = [logits.softmax(1) for logits in (clean, *both.chunk(2))]
        mean = sum(p) / 3  # the published formula
        divergence = sum(F.kl_div(mean.log(), each, reduction="batchmean") for each in p) / 3
        loss = F.cross_entropy(clean, targets) + 12 * divergence
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.testing.assert_close(weights(module), weights(other), atol=1e-5, rtol=0)


def test_the_divergence_is_of_valid_pixels_only_in_segmentation() -> None:
    data, module = Masks(), Segmenter()
    operation = AugMix(geometric=False, jsd_weight=1.0)
    callback = Augmentation(operation, seed=11)
    seen = {}

    class Keeps(pl.Callback):
        def on_train_epoch_end(self, trainer, pl_module) -> None:
            seen["jsd"] = float(trainer.callback_metrics["train/jsd"])

    state = {key: value.clone() for key, value in module.state_dict().items()}
    loaded = DataLoader([(data.images, data.masks)], batch_size=None)
    trainer([callback, Keeps()], max_epochs=1).fit(module, loaded)
    module.load_state_dict(state)
    plain = sample_seeds(mix(11, "augment", 0), pixel_hash(data.images))
    views = [operation(data.images, fold(plain, view, "aug_mix")) for view in ("first view", "second view")]
    divergence = jensen_shannon([module(each) for each in (data.images, *views)])
    assert seen["jsd"] == pytest.approx(divergence[data.masks != 255].mean().item(), rel=1e-4)


def test_one_operation_only_may_have_a_term() -> None:
    with pytest.raises(ValueError, match="expected one augmentation with jsd_weight"):
        Augmentation({"a": AugMix(jsd_weight=1.0), "b": AugMix(jsd_weight=2.0)})


def test_targets_that_nobody_reads_may_be_anything() -> None:
    class Boxes(ForeignModule):
        def training_step(self, batch, batch_idx: int) -> Tensor:
            return self(batch[0]).square().mean()

    data = [(torch.rand(4, 3, 8, 8), [{"boxes": torch.zeros(1, 4)}] * 4)]
    trainer([Augmentation(PatchGaussian(3), seed=1)], max_epochs=1).fit(Boxes(), DataLoader(data, batch_size=None))
