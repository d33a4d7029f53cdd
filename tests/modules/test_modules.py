"""Losses, normalisation, optimizers, schedules and the errors of the modules."""

import functools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustlit.models import small_cnn, unet
from robustlit.modules import ClassificationModule, SegmentationModule
from robustlit.modules.schedules import cosine_with_warmup, one_cycle, poly


class Pixels(nn.Module):
    """Logits of a pixel are its own channels, so that every loss can be written down."""

    def forward(self, images):
        return images


def segmentation(classes=2, **options):
    return SegmentationModule(Pixels(), num_classes=classes, **options)


def test_forward_normalises_pixels():
    module = segmentation(mean=(0.5, 0.25), std=(0.5, 0.1))
    image = torch.tensor([1.0, 0.5]).view(1, 2, 1, 1)
    assert module(image).flatten().tolist() == pytest.approx([1.0, 2.5])
    assert torch.equal(segmentation()(image), image)
    assert set(module.state_dict()) == {"mean", "std"}


@pytest.mark.parametrize("network", [small_cnn(num_classes=3, width=8), unet(num_classes=3, width=8, depth=2)])
def test_channels_last_changes_the_layout_and_not_the_answers(network):
    seen = []
    network.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    images = torch.rand(2, 3, 16, 16, requires_grad=True)
    results = []
    for channels_last in (False, True):
        module = ClassificationModule(network, num_classes=3, channels_last=channels_last).eval()
        logits = module(images)
        results.append((logits, *torch.autograd.grad(logits.square().sum(), images)))
    for before, after in zip(*results, strict=True):
        torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    assert [image.is_contiguous(memory_format=torch.channels_last) for image in seen] == [False, True]
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)


def test_ignored_pixels_do_not_count_in_the_loss():
    logits, targets = torch.randn(2, 3, 4, 5), torch.randint(3, (2, 4, 5))
    targets[0, 1:] = 255
    module = segmentation(3, ignore_index=255)
    expected = F.cross_entropy(logits, targets, ignore_index=255)
    torch.testing.assert_close(module.loss(logits, targets), expected)
    other = torch.where((targets == 255)[:, None], 100.0, logits)
    torch.testing.assert_close(module.loss(other, targets), expected)


def test_a_batch_without_valid_pixels_has_no_loss():
    logits = torch.randn(1, 2, 3, 3, requires_grad=True)
    loss = segmentation(ignore_index=255, dice=1.0).loss(logits, torch.full((1, 3, 3), 255))
    loss.backward()
    assert loss.item() == 0.0
    assert not logits.grad.any()


def test_one_logit_is_binary_cross_entropy():
    logits, masks = torch.randn(2, 1, 4, 5), torch.randint(2, (2, 1, 4, 5))
    module = segmentation(1)
    expected = F.binary_cross_entropy_with_logits(logits, masks.float())
    torch.testing.assert_close(module.loss(logits, masks), expected)
    torch.testing.assert_close(module.probabilities(logits)[:, 1:], logits.sigmoid())


def test_dice_by_hand():
    module = segmentation(dice=0.5, ignore_index=9)
    probabilities = torch.tensor([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.5, 0.5]])  # four pixels, the last ignored
    logits = probabilities.log().T.reshape(1, 2, 2, 2)
    targets = torch.tensor([[[0, 0], [1, 9]]])
    cross_entropy = -(math.log(0.8) + math.log(0.6) + math.log(0.7)) / 3
    first = (2 * (0.8 + 0.6) + 1) / (0.8 + 0.6 + 0.3 + 2 + 1)
    second = (2 * 0.7 + 1) / (0.2 + 0.4 + 0.7 + 1 + 1)
    expected = cross_entropy + 0.5 * (1 - (first + second) / 2)
    assert module.loss(logits, targets).item() == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_is_for_training_only():
    module = ClassificationModule(nn.Flatten(), num_classes=4, label_smoothing=0.2)
    logits, targets = torch.randn(5, 4), torch.randint(4, (5,))
    mixed = 0.8 * F.one_hot(targets, 4) + 0.05
    expected = -(mixed * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(module.loss(logits, targets, training=True), expected)
    torch.testing.assert_close(module.loss(logits, targets), F.cross_entropy(logits, targets))
    module = ClassificationModule(nn.Flatten(), num_classes=4, label_smoothing=0.2, multilabel=True)
    labels = torch.randint(2, (5, 4))
    expected = F.binary_cross_entropy_with_logits(logits, 0.8 * labels + 0.1)
    torch.testing.assert_close(module.loss(logits, labels, training=True), expected)


@pytest.mark.parametrize(
    ("build", "options", "batch_targets"),
    [
        (ClassificationModule, {}, torch.tensor([0, 2])),
        (ClassificationModule, {"multilabel": True}, torch.tensor([[0, 1, 1], [1, 0, 0]])),
        (SegmentationModule, {"ignore_index": 255}, torch.tensor([[[0, 1], [2, 255]], [[255, 1], [1, 1]]])),
    ],
)
def test_the_adapter_computes_the_same_loss(build, options, batch_targets):
    module = build(nn.Identity(), num_classes=3, **options)
    logits = torch.randn(2, 3, *batch_targets.shape[1:] if batch_targets.ndim == 3 else ())
    losses = module.adapter.per_sample_loss(logits, batch_targets)
    if batch_targets.ndim == 3:  # the adapter averages within images, the module over all pixels
        losses = losses * (batch_targets != 255).flatten(1).sum(1) / (batch_targets != 255).sum() * 2
    torch.testing.assert_close(losses.mean(), module.loss(logits, batch_targets))


def test_masks_with_a_channel_are_masks():
    module, logits = segmentation(3, ignore_index=255), torch.randn(2, 3, 4, 5)
    masks = torch.randint(3, (2, 1, 4, 5))
    masks[:, :, 1] = 255
    losses = module.adapter.per_sample_loss(logits, masks)
    torch.testing.assert_close(losses, module.adapter.per_sample_loss(logits, masks.squeeze(1)))
    torch.testing.assert_close(losses.mean(), module.loss(logits, masks))


def test_headlines():
    assert ClassificationModule(nn.Flatten(), num_classes=2).headline == "val/accuracy"
    assert ClassificationModule(nn.Flatten(), num_classes=2, multilabel=True).headline == "val/auroc"
    assert segmentation().headline == "val/iou"


def test_many_classes_have_no_curve():
    assert "auroc" in ClassificationModule(nn.Flatten(), num_classes=200).new_scores()
    assert "auroc" not in ClassificationModule(nn.Flatten(), num_classes=1000).new_scores()


def classifier(**options):
    return ClassificationModule(small_cnn(num_classes=3, width=4), num_classes=3, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: classifier()(torch.rand(1, 1, 9, 9)),
            "expected images with 3 channels, got 1; try model.in_channels=1",
        ),
        (lambda: classifier(class_names=("a", "b")), "expected 3 class names, got 2"),
        (lambda: classifier(mean=(0.5,)), "expected mean and std of the same length"),
        (lambda: classifier().check_targets(torch.tensor([0, 3])), "indices 0 to 2, got 3; try model.num_classes=4"),
        (lambda: classifier().check_targets(torch.tensor([0, -1])), "indices 0 to 2, got -1"),
        (lambda: classifier().check_targets(torch.zeros(2, 3, dtype=torch.long)), "try task=multilabel"),
        (lambda: classifier(multilabel=True).check_targets(torch.zeros(2, 4)), r"expected targets N×3, got \(2, 4\)"),
        (lambda: segmentation(3).check_targets(torch.full((1, 2, 2), 255)), "got 255; try data.ignore_index=255"),
        (lambda: segmentation(3).check_targets(torch.zeros(2)), "expected masks N×H×W"),
        (lambda: one_cycle(torch.optim.SGD([torch.zeros(1)]), 10, warmup=2), r"share of the steps in \[0, 1\)"),
    ],
)
def test_mistakes_are_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_ignored_classes_pass_the_check():
    segmentation(3, ignore_index=255).check_targets(torch.tensor([[[0, 2, 255]]]))
    segmentation(1).check_targets(torch.tensor([[[[0, 1]]]]))


def test_wrong_classes_name_the_batch(make_module, make_loader, make_trainer):
    loader = make_loader("single")
    loader.dataset.targets[5] = 7
    with pytest.raises(ValueError, match=r"got 7; try model.num_classes=8 \(batch 1\)"):
        make_trainer().fit(make_module("single"), loader)


def test_a_loss_that_is_not_finite_stops_the_training(make_module, make_loader, make_trainer):
    module = make_module("single", optimizer=functools.partial(torch.optim.SGD, lr=1e30), norm="none", schedule=None)
    with pytest.raises(ValueError, match=r"finite loss.*epoch 0, step [12].*task.optimizer.lr"):
        make_trainer().fit(module, make_loader("single"))
    with pytest.raises(ValueError, match="finite loss"):  # and its weights are not saved
        module.on_save_checkpoint({})


def rates(schedule, steps=10, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler, seen = schedule(optimizer, steps, **options), []
    for _ in range(steps + 1):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_one_cycle_rises_and_falls_in_straight_lines():
    expected = [0.05, 0.275, 0.5, *(0.5 * (1 - step / 8) for step in range(1, 9))]
    assert rates(one_cycle, warmup=0.2, start=0.1) == pytest.approx(expected)


def test_cosine_and_poly_have_closed_forms():
    seen = rates(cosine_with_warmup, warmup=0.0)
    assert seen == pytest.approx([0.25 * (1 + math.cos(math.pi * step / 10)) for step in range(11)])
    assert rates(poly, power=2.0) == pytest.approx([0.5 * (1 - step / 10) ** 2 for step in range(11)])


def test_schedules_with_a_length_are_stepped_every_batch(make_module, make_loader, make_trainer):
    module = make_module("single", schedule=functools.partial(one_cycle, warmup=0.0))
    make_trainer(max_epochs=2).fit(module, make_loader("single"))
    assert module.lr_schedulers().last_epoch == 6
    assert module.lr_schedulers().get_last_lr() == pytest.approx([0.0])


def test_other_schedules_are_stepped_every_epoch(make_module, make_loader, make_trainer):
    module = make_module("single", schedule=functools.partial(torch.optim.lr_scheduler.StepLR, step_size=1))
    make_trainer(max_epochs=2).fit(module, make_loader("single"))
    assert module.lr_schedulers().last_epoch == 2


def test_torch_schedules_with_a_length_are_filled(make_module, make_loader, make_trainer):
    module = make_module("single", schedule=functools.partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=0.1))
    make_trainer(max_epochs=2).fit(module, make_loader("single"))
    assert module.lr_schedulers().total_steps == 6


def test_a_plateau_watches_the_validation_loss(make_module, make_loader, make_trainer):
    plateau = functools.partial(torch.optim.lr_scheduler.ReduceLROnPlateau, patience=0, threshold=10.0)
    module = make_module("single", schedule=plateau)
    make_trainer(max_epochs=3).fit(module, make_loader("single"), make_loader("single"))
    assert module.optimizers().param_groups[0]["lr"] < 0.05


def test_endless_training_has_no_length(make_module, make_loader, make_trainer):
    with pytest.raises(ValueError, match=r"try trainer\.max_epochs=30"):
        make_trainer(max_epochs=-1).fit(make_module("single"), make_loader("single"))


def test_weight_decay_can_spare_vectors():
    module = SegmentationModule(unet(num_classes=2, width=4, depth=1), num_classes=2, decay_all=False)
    decayed, spared = module.configure_optimizers().param_groups
    assert {parameter.ndim for parameter in decayed["params"]} == {4}
    assert {parameter.ndim for parameter in spared["params"]} == {1}
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.01, 0.0)
    assert len(decayed["params"]) + len(spared["params"]) == len(list(module.parameters()))
