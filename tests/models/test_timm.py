"""timm's classifiers: with the package where it is installed, else what is said without it, and a stand-in for it."""

import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from robustlit.models import small_cnn, timm_classifier
from robustlit.models.timm_classifier import timm_classes
from robustlit.models.weights import read_weights
from robustlit.models.wrapped import as_network

with_timm = pytest.mark.skipif(find_spec("timm") is None, reason="needs timm")


@pytest.fixture
def stand_in(monkeypatch):
    """A package of that name with one model, which says what it was asked for."""
    asked = []

    def create_model(name, pretrained, in_chans, num_classes, **options):
        if "width" in options:
            options = {"width": options["width"]}
        elif options:
            raise TypeError(f"got an unexpected keyword argument {next(iter(options))!r}")
        asked.append((name, pretrained, in_chans, num_classes, options))
        if pretrained:
            raise RuntimeError("no network\nat all")
        return small_cnn(in_channels=in_chans, num_classes=num_classes, width=4)

    timm = ModuleType("timm")
    timm.create_model, timm.is_model, timm.list_models = create_model, "tiny".__eq__, lambda: ["tiny", "huge"]
    timm.models = SimpleNamespace(get_pretrained_cfg=lambda name: SimpleNamespace(num_classes=1000))
    monkeypatch.setitem(sys.modules, "timm", timm)
    return asked


def test_a_model_is_built_by_its_name_and_options(stand_in):
    network = timm_classifier("tiny", num_classes=3, in_channels=1, width=2)
    assert network(torch.zeros(1, 1, 16, 16)).shape == (1, 3)
    assert stand_in == [("tiny", False, 1, 3, {"width": 2})]
    assert timm_classes("tiny") == 1000
    assert timm_classes("tinier") is None


def test_weights_from_a_file(stand_in, tmp_path):
    torch.manual_seed(1)
    trained = small_cnn(num_classes=3, width=4)
    torch.save({"model": trained.state_dict()}, tmp_path / "a.pth")
    network = timm_classifier("tiny", num_classes=3, weights=tmp_path / "a.pth")
    for key, value in trained.state_dict().items():
        assert torch.equal(network.state_dict()[key], value)
    other = timm_classifier("tiny", num_classes=5, weights=tmp_path / "a.pth").state_dict()
    assert torch.equal(other["features.0.0.weight"], trained.state_dict()["features.0.0.weight"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "tinny"}, "expected the name of a timm classifier, got 'tinny'; try 'tiny'"),
        ({"weights": "IMAGENET1K_V1"}, "expected weights DEFAULT or a file, got 'IMAGENET1K_V1'"),
        ({"weights": "DEFAULT"}, "expected timm's weights of tiny, got no network; try model.weights=FILE"),
        ({"depth": 3}, "expected options that tiny has, got got an unexpected keyword argument 'depth'"),
        ({"weights": "lost.pth"}, "expected a file of weights at lost.pth"),
    ],
)
def test_what_is_wrong_is_one_line(settings, message, stand_in):
    with pytest.raises(ValueError, match=message) as error:
        timm_classifier(**{"name": "tiny", "num_classes": 3, **settings})
    assert "\n" not in str(error.value)


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r"pip install 'robustlit\[timm\]'"):
        timm_classifier("resnet18", num_classes=3)


def test_safetensors_are_read_or_their_package_is_named(tmp_path):
    state = {"a": torch.ones(2)}
    if find_spec("safetensors") is None:
        with pytest.raises(ImportError, match="expected the package safetensors to read"):
            read_weights(tmp_path / "a.safetensors")
    else:
        from safetensors.torch import save_file

        save_file(state, tmp_path / "a.safetensors")
        assert torch.equal(read_weights(tmp_path / "a.safetensors")["a"], state["a"])


@with_timm
def test_timms_own_resnet():
    network = timm_classifier("resnet10t", num_classes=7, in_channels=1)
    assert network(torch.zeros(1, 1, 64, 64)).shape == (1, 7)
    with pytest.raises(ValueError, match="expected the name of a timm classifier, got 'resnet10x'"):
        timm_classifier("resnet10x", num_classes=7)


def test_functions_are_networks_too():
    layer = nn.Linear(3, 2)
    assert as_network(layer) is layer
    network = as_network(lambda images: images.mean((2, 3)))
    assert next(network.parameters()).requires_grad is False
    assert network(torch.ones(2, 4, 3, 3)).shape == (2, 4)
    with pytest.raises(TypeError, match="expected a network that can be called, got int"):
        as_network(3)
