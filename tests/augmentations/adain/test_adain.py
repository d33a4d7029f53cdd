"""AdaIN against its formula written out with the same networks, and against what an augmentation promises."""

import copy
import pickle
import random

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from robustlit.augmentations.adain import AdaIN, Encoder, StyleBank, style_decoder
from robustlit.augmentations.adain.network import fit_sides
from robustlit.augmentations.regions import ClassMasks, RegionParams, SquarePatch, Voronoi
from robustlit.callbacks import Augmentation
from robustlit.core.random import sample_seeds
from robustlit.modules import ClassificationModule
from tests.augmentations.adain.tiny_style import tiny_decoder, tiny_encoder, write_pictures


def moments(features):
    flat = features.flatten(2).double()
    return flat.mean(2)[..., None, None], (flat.var(2) + 1e-5).sqrt()[..., None, None]


def restyled(content, style, alpha):
    """Formula (8) and (14) of the paper, for images 1×3×H×W."""
    encoder, decoder = tiny_encoder(), tiny_decoder()
    x, y = encoder(content).double(), encoder(style)
    (mean, std), (other_mean, other_std) = moments(x), moments(y)
    t = (x - mean) / std * other_std + other_mean
    return decoder((alpha * t + (1 - alpha) * x).float()).clamp(0, 1)


def adain(**settings):
    return AdaIN(tiny_encoder(), tiny_decoder(), **settings)


def seeds(count, first=0):
    return sample_seeds(7, torch.arange(first, first + count))


def test_chosen_samples_follow_the_formula_and_the_others_stay():
    images = torch.rand(7, 3, 24, 32)
    operation = adain(p=0.5, alpha=(0.3, 0.9))
    params = operation.sample(images.shape, seeds(7))
    assert 0 < params.chosen.sum() < 7
    result = operation.apply(images, params)
    with torch.no_grad():
        for i in range(7):
            partner = int(params.style[i])
            assert partner != i
            expected = images[i : i + 1]
            if params.chosen[i]:
                expected = restyled(expected, images[partner : partner + 1], float(params.alpha[i]))
                assert float((expected - images[i]).abs().mean()) > 0.05
            torch.testing.assert_close(result[i : i + 1], expected, atol=2e-5, rtol=0)
            assert params.chosen[i] or torch.equal(result[i], images[i])


def test_styles_of_a_folder_follow_the_formula(tmp_path):
    pictures = write_pictures(tmp_path / "styles", 3)
    bank = StyleBank(pictures, size=40)
    operation = adain(styles=bank, p=1.0)
    images = torch.rand(4, 3, 32, 32)
    params = operation.sample(images.shape, seeds(4))
    result = operation.apply(images, params)
    for i in range(4):
        file = bank.files[int(params.style[i])]
        style = torch.from_numpy(np.array(Image.open(file))).movedim(2, 0)[None] / 255
        with torch.no_grad():
            torch.testing.assert_close(result[i : i + 1], restyled(images[i : i + 1], style, 1.0), atol=2e-5, rtol=0)


def test_a_sample_has_the_same_draws_and_picture_in_any_batch(tmp_path):
    operation = adain(styles=write_pictures(tmp_path / "styles", 5), p=0.6, alpha=(0.0, 1.0))
    images = torch.rand(6, 3, 24, 24)
    together = operation(images, seeds(6))
    for i in range(6):
        alone = operation(images[i : i + 1], seeds(6)[i : i + 1])
        torch.testing.assert_close(alone, together[i : i + 1], atol=1e-5, rtol=0)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(operation(images[order], seeds(6)[order]), together[order], atol=1e-5, rtol=0)


def test_partners_and_choices_are_spread_evenly():
    operation = adain(p=0.25, alpha=(0.2, 0.6))
    params = [operation.sample(torch.Size((4, 3, 32, 32)), seeds(4, 4 * i)) for i in range(1000)]
    style = torch.stack([each.style[:, 0] for each in params])
    for place in range(4):
        counts = torch.bincount(style[:, place], minlength=4)
        assert counts[place] == 0
        assert counts[counts > 0].float().sub(1000 / 3).abs().max() < 75  # five standard deviations
    assert abs(torch.stack([each.chosen for each in params]).float().mean() - 0.25) < 0.035
    alpha = torch.stack([each.alpha for each in params])
    assert 0.2 <= alpha.min() < 0.21
    assert 0.59 < alpha.max() <= 0.6
    assert operation.sample(torch.Size((1, 3, 32, 32)), seeds(1)).style.tolist() == [[0]]


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_no_global_generator_is_touched(p):
    operation, images = adain(p=p), torch.rand(3, 3, 16, 16)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    result = operation(images, seed=3)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    assert random.getstate() == before[2]
    assert torch.equal(result, images) == (p == 0)
    assert result.data_ptr() != images.data_ptr()


def test_only_the_chosen_and_their_partners_pass_the_network():
    encoder, decoder = tiny_encoder(), tiny_decoder()
    seen = []
    for network in (encoder, decoder):
        network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    operation = AdaIN(encoder, decoder, p=0.3)
    images = torch.rand(16, 3, 16, 16)
    params = operation.sample(images.shape, seeds(16))
    operation.apply(images, params)
    chosen = params.chosen.nonzero()[:, 0].tolist()
    assert 0 < len(chosen) < 10
    assert seen == [len({*chosen, *params.style[chosen, 0].tolist()}), len(chosen)]


def test_the_networks_run_in_the_ambient_precision_and_only_they():
    encoder, decoder = tiny_encoder(), tiny_decoder()
    seen = []
    for network in (encoder.layers[2], decoder[1]):
        network.register_forward_hook(lambda _, __, output: seen.append(output.dtype))
    operation = AdaIN(encoder, decoder, p=1.0, size=32)
    images = torch.rand(2, 3, 40, 48)
    exact = operation(images)
    with torch.autocast("cpu", torch.bfloat16):
        rough = operation(images)
    assert seen == [torch.float32] * 2 + [torch.bfloat16] * 2
    assert exact.dtype == rough.dtype == torch.float32
    assert 0 < float((exact - rough).abs().mean()) < 0.02
    assert float((rough * 256 - (rough * 256).round()).abs().max()) > 0.1  # resized in float32, not in bfloat16
    assert operation(images.bfloat16()).dtype == torch.bfloat16


def test_working_size_scales_down_and_up_again():
    operation = adain(p=1.0, size=16)
    images = torch.rand(2, 3, 64, 96)
    params = operation.sample(images.shape, seeds(2))
    small = F.interpolate(images, (16, 24), mode="bilinear", antialias=True)
    at_small = adain(p=1.0).apply(small, params)
    expected = F.interpolate(at_small, (64, 96), mode="bilinear", antialias=True)
    torch.testing.assert_close(operation.apply(images, params), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("shape", "size", "sides"),
    [((32, 32), None, (32, 32)), ((33, 50), None, (32, 48)), ((9, 40), None, (16, 40)), ((360, 480), 112, (112, 152))],
)
def test_sides_become_whole_numbers_of_features(shape, size, sides):
    assert tuple(fit_sides(torch.rand(1, 3, *shape), size).shape[2:]) == sides
    assert adain(p=1.0, size=size)(torch.rand(2, 3, *shape)).shape == (2, 3, *shape)


def test_grey_images_are_the_luma_of_grey_pictures():
    operation, images = adain(p=1.0), torch.rand(2, 1, 24, 24)
    params = operation.sample(images.shape, seeds(2))
    colour = operation.apply(images.repeat(1, 3, 1, 1), params)
    luma = (colour * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(operation.apply(images, params), luma)
    with pytest.raises(ValueError, match="expected images of 1 or 3 channels, got 4"):
        operation(torch.rand(2, 4, 24, 24))


def test_a_patch_is_styled_inside_and_untouched_outside():
    images = torch.rand(3, 3, 32, 40)
    operation = adain(p=1.0, region=SquarePatch(16))
    params = operation.sample(images.shape, seeds(3))
    result = operation.apply(images, params)
    inside = operation.region.cells(params.region, (32, 40))[:, None].expand_as(images) == 0
    assert 0 < inside.float().mean() < 0.3
    assert torch.equal(result[~inside], images[~inside])
    whole = adain(p=1.0)
    everywhere = whole.apply(images, type(params)(params.chosen, params.style, params.alpha, RegionParams()))
    assert torch.equal(result[inside], everywhere[inside])


def test_every_voronoi_cell_has_a_style_of_its_own(tmp_path):
    bank = write_pictures(tmp_path / "styles", 6)
    images = torch.rand(2, 3, 32, 32)
    operation = adain(styles=bank, p=1.0, region=Voronoi(3))
    params = operation.sample(images.shape, seeds(2))
    assert params.style.shape == (2, 3)
    result = operation.apply(images, params)
    cells = operation.region.cells(params.region, (32, 32))
    single = adain(styles=bank, p=1.0)
    for cell in range(3):
        one = type(params)(params.chosen, params.style[:, cell : cell + 1], params.alpha, RegionParams())
        inside = (cells == cell)[:, None].expand_as(images)
        torch.testing.assert_close(result[inside], single.apply(images, one)[inside], atol=1e-6, rtol=0)


def test_class_masks_are_asked_for_and_obeyed():
    images, masks = torch.rand(2, 3, 16, 16), torch.zeros(2, 16, 16, dtype=torch.int64)
    masks[:, :8], masks[:, 12:] = 1, 255
    operation = adain(p=1.0, region=ClassMasks(2, share=1.0))
    with pytest.raises(ValueError, match="expected class masks"):
        operation(images)
    before = masks.clone()
    result = operation(images, 0, masks)
    assert torch.equal(masks, before)
    assert torch.equal(result[:, :, 12:], images[:, :, 12:])
    assert not torch.isclose(result[:, :, :12], images[:, :, :12]).all()


def test_labels_are_mixed_with_those_of_the_style():
    operation = adain(p=0.5, label_gamma=0.8)
    params = operation.sample(torch.Size((8, 3, 16, 16)), seeds(8))
    targets = torch.arange(8) % 3
    mixed = operation.change_targets(targets, params, 4)
    assert mixed.shape == (8, 4)
    for i in range(8):
        expected = torch.zeros(4)
        expected[targets[i]] += 0.8 if params.chosen[i] else 1.0
        expected[targets[params.style[i, 0]]] += 0.2 if params.chosen[i] else 0.0
        torch.testing.assert_close(mixed[i], expected)
    torch.testing.assert_close(operation.change_targets(F.one_hot(targets, 4), params, 4), mixed)
    assert adain().change_targets(targets, params, 4) is targets
    with pytest.raises(ValueError, match="expected targets of shape N or N×K"):
        operation.change_targets(torch.zeros(8, 4, 4), params, 4)


def test_the_networks_are_no_part_of_the_module_that_holds_the_operation():
    operation = adain(p=1.0)
    holder = nn.ModuleList([operation])
    operation(torch.rand(2, 3, 16, 16))
    assert not holder.state_dict()
    assert not list(holder.parameters())
    for copied in (copy.deepcopy(operation), pickle.loads(pickle.dumps(operation))):
        images = torch.rand(2, 3, 16, 16)
        assert torch.equal(copied(images, 5), operation(images, 5))


def test_no_gradient_passes_and_weights_are_frozen():
    encoder, decoder = Encoder((4, 4, 4, 4)), style_decoder((4, 4, 4, 4)).train()
    result = AdaIN(encoder, decoder, p=1.0)(torch.rand(2, 3, 16, 16, requires_grad=True))
    assert not result.requires_grad
    assert not any(weight.requires_grad for network in (encoder, decoder) for weight in network.parameters())
    assert not encoder.training
    assert not decoder.training


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"p": 1.2}, "expected p in"),
        ({"alpha": 1.5}, "expected alpha or its range within 0 and 1"),
        ({"alpha": (0.8, 0.2)}, "expected alpha or its range within 0 and 1"),
        ({"size": 8}, "expected size of at least 16"),
        ({"label_gamma": 2.0}, "expected label_gamma in"),
        ({"label_gamma": 0.8, "region": Voronoi(2)}, "expected styles of the batch and one cell"),
        ({"styles": "/nowhere"}, "expected a folder of style pictures at /nowhere"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        adain(**settings)


@pytest.mark.parametrize(
    ("encoder", "decoder", "message"),
    [
        (None, "decoder.pth", "expected encoder weights, got none; try encoder=FILE"),
        ("vgg.pth", None, "expected decoder weights, got none; try decoder=FILE"),
        ("vgg.pth", "decoder.pth", "expected a file of encoder weights at vgg.pth"),
        (tiny_encoder(), style_decoder((4, 4, 4, 4)), "expected a decoder of the encoder's 10 channels, got one of 4"),
    ],
)
def test_missing_and_ill_matched_weights_are_named_when_they_are_needed(encoder, decoder, message):
    operation = AdaIN(encoder, decoder, p=1.0)
    with pytest.raises(ValueError, match=message):
        operation(torch.rand(2, 3, 16, 16))


@pytest.mark.parametrize(("precision", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)])
def test_the_networks_have_the_trainers_precision(precision, dtype, tmp_path):
    encoder, seen = tiny_encoder(), []
    encoder.layers[2].register_forward_hook(lambda _, __, output: seen.append(output.dtype))
    operation = AdaIN(encoder, tiny_decoder(), p=1.0, label_gamma=0.8)
    data = DataLoader(TensorDataset(torch.rand(8, 3, 16, 16), torch.arange(8) % 2), batch_size=4)
    module = ClassificationModule(nn.Sequential(nn.Flatten(), nn.Linear(768, 2)), num_classes=2)
    settings = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        precision=precision,
        callbacks=[Augmentation(operation)],
        default_root_dir=tmp_path,
        enable_model_summary=False,
        **settings,
    )
    trainer.fit(module, data)
    assert seen == [dtype, dtype]
