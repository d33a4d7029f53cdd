"""AdversarialTraining on anyone's module: augmented, optimised by hand, normalised, segmenting, or broken."""

import pytest
import torch
from adversarial_training_helpers import ATTACK, EPS, Manual, Probe, by_hand, seeded
from torch.nn import functional as F

from robustlit.attacks import SegPGD
from robustlit.augmentations import PatchGaussian
from robustlit.callbacks import AdversarialTraining, Augmentation
from robustlit.core import Adapter
from robustlit.methods import AWP, MART, TRADES, GradAlign, LogitPairing, Plain
from tests.tiny import ForeignModule, Samples, loader, trainer, weights


def test_augmented_before_it_is_attacked_whatever_the_order() -> None:
    augmentation, adversarial = Augmentation(PatchGaussian(5), seed=1), AdversarialTraining(ATTACK, "mart", seed=1)
    results = []
    for callbacks in ([augmentation, adversarial], [adversarial, augmentation]):
        module = seeded()
        trainer(callbacks).fit(module, loader())
        results.append(weights(module))
    assert torch.equal(*results)


def test_manual_optimisation_trains_plainly_and_refuses_terms() -> None:
    torch.manual_seed(3)
    module = Manual()
    trainer([AdversarialTraining(ATTACK, seed=11)]).fit(module, loader())
    assert torch.equal(weights(module), by_hand(seeded()))
    with pytest.raises(ValueError, match=r"manually; try computing the term in its training_step"):
        trainer([AdversarialTraining(ATTACK, "trades")]).fit(module, loader())
    assert "_robustlit_pipeline" not in vars(module)


def test_normalised_foreign_module() -> None:
    mean, std = (0.5, 0.4, 0.3), (0.25, 0.2, 0.3)
    adapter = Adapter(mean=mean, std=std)
    data = [(adapter.from_pixels(image[None])[0], target) for image, target in Samples(16)]
    batches = torch.utils.data.DataLoader(data, batch_size=16)
    with pytest.raises(ValueError, match=r"looks normalised; try Adapter\(mean"):
        trainer([AdversarialTraining(ATTACK)]).fit(seeded(), batches)
    probe = Probe()
    trainer([AdversarialTraining(ATTACK, adapter=adapter), probe], max_epochs=1).fit(seeded(), batches)
    pixels = adapter.to_pixels(probe.images[-1])
    assert pixels.min() >= -1e-6 and pixels.max() <= 1 + 1e-6
    assert (pixels - Samples(16).images).abs().max() == pytest.approx(EPS, abs=1e-5)


class Segments(ForeignModule):
    """Two classes and void, by one convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.Conv2d(8, 2, 1))

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch["image"]), batch["mask"], ignore_index=255)


@pytest.mark.parametrize("method", [Plain(), TRADES(), MART(), LogitPairing(), GradAlign()])
def test_segmentation_with_an_ignore_index(method) -> None:
    torch.manual_seed(0)
    images, masks = torch.rand(4, 3, 8, 8), torch.randint(2, (4, 8, 8))
    masks[:, :3] = 255
    batches = torch.utils.data.DataLoader([{"image": images, "mask": masks}], batch_size=None)
    module, probe = Segments(), Probe()
    before = weights(module)
    callback = AdversarialTraining(SegPGD(eps=EPS, steps=2), method, AWP(), adapter=Adapter(ignore_index=255))
    trainer([callback, probe], max_epochs=1).fit(module, batches)
    assert torch.isfinite(weights(module)).all() and not torch.equal(weights(module), before)
    assert any(not torch.equal(seen, images) for seen in probe.images[-2:])  # the step's own, and the term's


def test_labels_out_of_range_are_told() -> None:
    batches = torch.utils.data.DataLoader([(torch.rand(3, 8, 8), 7)] * 4, batch_size=4)
    with pytest.raises(ValueError, match="expected labels from 0 to 3, got 7"):
        trainer([AdversarialTraining(ATTACK)]).fit(seeded(), batches)


def test_probabilities_in_the_place_of_logits_are_warned_of() -> None:
    class Softmax(ForeignModule):
        def forward(self, images):
            return super().forward(images).softmax(1)

    with pytest.warns(UserWarning, match="looks like probabilities"):
        trainer([AdversarialTraining(ATTACK)], max_epochs=1).fit(Softmax(), loader(count=8))
