"""The layouts are built here once more, from plain layers, and both must compute the same."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models.vgg import make_layers

from robustlit.augmentations.adain import Encoder, load_decoder, load_encoder, style_decoder
from tests.augmentations.adain.tiny_style import WIDTHS, tiny_decoder, tiny_encoder

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
VGG16 = Path(os.environ.get("ROBUSTLIT_TEST_DATA", "/nowhere")) / "vgg16" / "vgg16_features.pt"


def stack(plan):
    """The numbering of vgg_normalised.pth: a 1×1 convolution, then padding, convolution and ReLU."""
    layers = [nn.Conv2d(3, 3, 1)]
    for step in plan:
        if step == "pool":
            layers.append(nn.MaxPool2d(2, 2, 0, ceil_mode=True))
        else:
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(*step, 3), nn.ReLU()]
    return nn.Sequential(*layers)


def saved(state, folder):
    path = folder / "weights.pth"
    torch.save(state, path)
    return path


def test_the_published_encoder_is_read(tmp_path):
    a, b, c, d = WIDTHS
    plan = [(3, a), (a, a), "pool", (a, b), (b, b), "pool", (b, c), (c, c), (c, c), (c, c), "pool", (c, d), (d, d)]
    published = stack(plan)
    assert [i for i, layer in enumerate(published) if isinstance(layer, nn.Conv2d)][:10] == [
        *(0, 2, 5, 9, 12, 16, 19, 22, 25, 29)
    ]
    encoder = load_encoder(saved(published.state_dict(), tmp_path))
    images = torch.rand(2, 3, 24, 40)
    for found, end in zip(encoder.stages(images), (4, 11, 18, 31), strict=True):
        torch.testing.assert_close(found, published[:end](images), atol=1e-6, rtol=1e-5)
    assert not any(weight.requires_grad for weight in encoder.parameters())
    assert not encoder.training


@pytest.mark.parametrize(("repeats", "end"), [((2, 2, 4, 4), 21), ((2, 2, 3, 3), 19)], ids=["vgg19", "vgg16"])
@pytest.mark.parametrize("prefix", ["features.", ""])
def test_torchvisions_trunks_are_read(tmp_path, repeats, end, prefix):
    plan = [step for width, count in zip(WIDTHS, repeats, strict=True) for step in [*[width] * count, "M"]]
    trunk = make_layers(plan)
    for layer in trunk:
        if isinstance(layer, nn.Conv2d):
            layer.padding_mode = "reflect"
            nn.init.normal_(layer.bias)
    extra = {"classifier.0.weight": torch.rand(2, 2)} if prefix else {}
    state = {f"{prefix}{key}": value for key, value in trunk.state_dict().items()} | extra
    encoder = load_encoder(saved(state, tmp_path))
    images = torch.rand(2, 3, 24, 40)
    expected = trunk[:end]((images - MEAN[:, None, None]) / STD[:, None, None])
    torch.testing.assert_close(encoder(images), expected, atol=1e-5, rtol=1e-4)


def test_the_published_decoder_is_read(tmp_path):
    d, c, b, a = WIDTHS[::-1]
    steps = [(d, c), "up", (c, c), (c, c), (c, c), (c, b), "up", (b, b), (b, a), "up", (a, a), (a, 3)]
    layers = []
    for step in steps:
        up = step == "up"
        layers += (
            [nn.UpsamplingNearest2d(scale_factor=2)] if up else [nn.ReflectionPad2d(1), nn.Conv2d(*step, 3), nn.ReLU()]
        )
    published = nn.Sequential(*layers[:-1])
    features = torch.rand(2, d, 3, 5)
    decoder = load_decoder(saved(published.state_dict(), tmp_path))
    torch.testing.assert_close(decoder(features), published(features))
    assert decoder(features).shape == (2, 3, 24, 40)
    assert not any(weight.requires_grad for weight in decoder.parameters())


def test_a_checkpoint_of_the_training_is_read(tmp_path):
    decoder = tiny_decoder()
    content = {"state_dict": {f"decoder.{key}": value for key, value in decoder.state_dict().items()}, "epoch": 3}
    found = load_decoder(saved(content, tmp_path))
    assert all(torch.equal(a, b) for a, b in zip(found.parameters(), decoder.parameters(), strict=True))


def test_a_decoder_goes_on_from_a_file(tmp_path):
    trained = tiny_decoder()
    path = saved(trained.state_dict(), tmp_path)
    decoder = style_decoder(WIDTHS[::-1], path)
    assert all(torch.equal(a, b) for a, b in zip(decoder.parameters(), trained.parameters(), strict=True))
    assert decoder.training
    assert all(weight.requires_grad for weight in decoder.parameters())
    with pytest.raises(ValueError, match=r"of these widths in .*, got 1.weight of shape \(8, 10"):
        style_decoder((8, 8, 8, 8), path)


@pytest.mark.parametrize("load", [load_encoder, load_decoder])
def test_another_layout_names_the_keys_that_were_expected(tmp_path, load):
    state = {"conv1.weight": torch.rand(4, 3, 3, 3), "conv1.bias": torch.rand(4)}
    with pytest.raises(ValueError, match=r"expected .*weights.pth.* (5, 9, 12|5, 8, 11).* got 2 keys \(conv1.weight"):
        load(saved(state, tmp_path))


def test_one_is_not_taken_for_the_other(tmp_path):
    with pytest.raises(ValueError, match="expected decoder weights"):
        load_decoder(saved(stack([(3, 4), (4, 4)]).state_dict(), tmp_path))
    with pytest.raises(ValueError, match="expected encoder weights"):
        load_encoder(saved(tiny_decoder().state_dict(), tmp_path))


def test_a_missing_bias_or_a_broken_chain_is_another_layout(tmp_path):
    state = stack([(3, 4), (4, 4), "pool"]).state_dict()
    del state["2.bias"]
    with pytest.raises(ValueError, match="expected encoder weights"):
        load_encoder(saved(state, tmp_path))
    state = tiny_decoder().state_dict()
    state["14.weight"] = torch.rand(6, 7, 3, 3)
    with pytest.raises(ValueError, match="expected decoder weights"):
        load_decoder(saved(state, tmp_path))


@pytest.mark.parametrize("content", [None, b"no weights", b"half a fi"])
def test_a_file_that_is_no_weights_is_named(tmp_path, content):
    path = tmp_path / "vgg.pth"
    if content:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"expected a file of encoder weights at .*vgg.pth, got .*; try a state dict"):
        load_encoder(path)


def test_the_encoder_of_tests_has_the_published_numbers():
    assert sorted(int(key.split(".")[1]) for key in tiny_encoder().state_dict() if key.endswith("weight")) == [
        *(0, 2, 5, 9, 12, 16, 19, 22, 25, 29)
    ]
    with pytest.raises(ValueError, match="expected four widths"):
        Encoder((4, 4))


@pytest.mark.slow
def test_real_vgg16_weights_are_read():
    if not VGG16.is_file():
        pytest.skip("no vgg16/vgg16_features.pt in $ROBUSTLIT_TEST_DATA")
    from torchvision.models import vgg16

    encoder = load_encoder(VGG16)
    trunk = vgg16().features
    trunk.load_state_dict(torch.load(VGG16, weights_only=True))
    images = torch.rand(1, 3, 96, 96)
    expected = trunk[:19]((images - MEAN[:, None, None]) / STD[:, None, None])
    found = encoder(images)
    # the border differs by the padding; the middle is out of its reach
    torch.testing.assert_close(found[..., 5:7, 5:7], expected[..., 5:7, 5:7], atol=2e-3, rtol=1e-3)
