"""Every network of ours: odd sizes, channels, parameter counts, options."""

import copy
import pickle

import pytest
import torch
from torch import nn

from robustlit.models import resnet18, resnet34, resnet50, small_cnn, torchvision_classifier, unet


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("size", [(28, 28), (33, 47), (128, 65)])
@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_small_cnn_takes_any_size(size, norm):
    network = small_cnn(in_channels=1, num_classes=5, width=8, norm=norm, dropout=0.5)
    assert network(torch.rand(2, 1, *size)).shape == (2, 5)


def test_small_cnn_has_the_parameters_of_six_convolutions():
    pairs = [(3, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
    convolutions = sum(9 * inputs * outputs + 2 * outputs for inputs, outputs in pairs)  # scale and shift of the norm
    assert parameters(small_cnn(num_classes=8)) == convolutions + 128 * 8 + 8


def test_stride_one_keeps_more_of_the_image():
    image = torch.rand(1, 3, 32, 32)
    maps = [small_cnn(num_classes=2, width=4, stride=stride).features(image).shape[-1] for stride in (1, 2)]
    assert maps == [8, 4]


@pytest.mark.parametrize(
    ("build", "stem", "expected"),
    [
        (resnet18, "cifar", 11_173_962),
        (resnet34, "cifar", 21_282_122),
        (resnet50, "cifar", 23_520_842),
        (resnet18, "imagenet", 11_689_512 - 513 * 1000 + 513 * 10),  # torchvision's published count, with another head
    ],
)
def test_resnets_have_the_published_parameters(build, stem, expected):
    assert parameters(build(num_classes=10, stem=stem)) == expected


def test_stems_decide_the_resolution():
    image = torch.rand(1, 1, 33, 37)
    for stem, expected in (("cifar", (33, 37)), ("imagenet", (9, 10))):
        network = resnet18(in_channels=1, num_classes=3, stem=stem)
        shapes = []
        network.layer1.register_forward_hook(lambda _module, _input, output, shapes=shapes: shapes.append(output.shape))
        assert network.eval()(image).shape == (1, 3)
        assert shapes[0][2:] == expected


@pytest.mark.parametrize("build", [resnet18, resnet50])
def test_half_the_width_is_about_a_quarter_of_the_parameters(build):
    whole, half = build(num_classes=10, stem="cifar"), build(num_classes=10, stem="cifar", width=32)
    assert 0.245 < parameters(half) / parameters(whole) < 0.26
    widths = [layer[-1].bn2.num_features for layer in (half.layer1, half.layer2, half.layer3, half.layer4)]
    assert widths == [32, 64, 128, 256]
    assert half.eval()(torch.rand(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("size", [(1, 1), (15, 16), (17, 31), (16, 32)])
@pytest.mark.parametrize("depth", [1, 3])
def test_unet_returns_the_size_it_was_given(size, depth):
    network = unet(in_channels=2, num_classes=3, width=4, depth=depth, norm="group", dilations=(2, 4), dropout=0.1)
    assert network(torch.rand(2, 2, *size)).shape == (2, 3, *size)


def test_unet_halves_and_doubles_widths():
    width, total, inputs = 4, 0, 3
    for level in range(3):
        outputs = width * 2**level
        total += 9 * inputs * outputs + 9 * outputs**2 + 4 * outputs  # two convolutions, two norms
        inputs = outputs
    for level in (1, 0):
        outputs = width * 2**level
        total += 9 * 3 * outputs * outputs + 9 * outputs**2 + 4 * outputs
    assert parameters(unet(num_classes=7, width=width, depth=2)) == total + width * 7 + 7


def test_unet_padding_does_not_reach_the_top_left_corner():
    network = unet(num_classes=2, width=4, depth=1, norm="none").eval()
    image = torch.rand(1, 3, 40, 40)
    whole, part = network(image), network(image[..., :39, :39])
    torch.testing.assert_close(whole[..., :20, :20], part[..., :20, :20])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: small_cnn(num_classes=2, norm="bach"), "try 'batch'"),
        (lambda: resnet18(num_classes=2, stem="cifr"), "try 'cifar'"),
        (lambda: resnet18(num_classes=2, width=60), "expected width as a positive multiple of 8, got 60; try width=64"),
        (lambda: small_cnn(num_classes=2, width=0), "expected width of 1 or more, got 0; try model.width=1"),
        (lambda: small_cnn(num_classes=2, stride=0), "stride of 1 or more"),
        (lambda: small_cnn(num_classes=0), "num_classes of 1 or more"),
        (lambda: small_cnn(num_classes=2, dropout=1.0), r"expected a dropout in \[0, 1\), got 1.0"),
        (lambda: unet(num_classes=2, depth=0), "depth of 1 or more"),
        (lambda: unet(num_classes=2, width=-4), "width of 1 or more"),
        (lambda: unet(num_classes=2, in_channels=0), "in_channels of 1 or more"),
        (lambda: unet(num_classes=2, dropout=-0.1), "expected a dropout"),
        (lambda: unet(num_classes=2, dilations=[2, 0]), "dilations of 1 or more"),
        (lambda: torchvision_classifier("resnet81", num_classes=2), "try 'resnet18'|try 'resnet101'"),
        (lambda: torchvision_classifier("resnet18", num_classes=2, image_sise=3), "expected options that resnet18 has"),
    ],
)
def test_wrong_options_are_one_line_with_a_hint(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


# the smallest of each family with another kind of head or first convolution
FAMILIES = {
    "alexnet": 64,
    "convnext_tiny": 32,
    "densenet121": 32,
    "efficientnet_b0": 32,
    "googlenet": 32,
    "inception_v3": 75,
    "mnasnet0_5": 32,
    "mobilenet_v2": 32,
    "mobilenet_v3_small": 32,
    "regnet_x_400mf": 32,
    "shufflenet_v2_x0_5": 32,
    "squeezenet1_1": 32,
    "swin_t": 32,
}


@pytest.mark.parametrize("name", ["alexnet", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_torchvision_families(name):
    check_family(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_torchvision_family(name):
    check_family(name)


def check_family(name):
    network = torchvision_classifier(name, in_channels=2, num_classes=7)
    size = FAMILIES[name]
    for training in (True, False):  # GoogLeNet and Inception return more than logits in training unless told not to
        assert network.train(training)(torch.rand(2, 2, size, size)).shape == (2, 7)
    images = torch.rand(1, 2, size, size).to(memory_format=torch.channels_last)  # the layout of conf/task
    assert network.to(memory_format=torch.channels_last)(images).shape == (1, 7)


def test_builder_options_reach_torchvision():
    network = torchvision_classifier("vit_b_32", num_classes=4, in_channels=1, image_size=64)
    assert network(torch.rand(1, 1, 64, 64)).shape == (1, 4)


@pytest.mark.parametrize("network", [small_cnn(num_classes=3, width=4), unet(num_classes=3, width=4, depth=2)])
def test_networks_copy_and_pickle(network):
    images = torch.rand(2, 3, 24, 24)
    network.eval()
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert isinstance(other, nn.Module)
        assert torch.equal(other(images), network(images))
