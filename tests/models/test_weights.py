"""Weights from a file: which entries are taken, adapted or refused. No download."""

import re

import pytest
import torch
import torchvision

from robustlit.models import resnet18, small_cnn, torchvision_classifier
from robustlit.models.weights import first_convolution, head_name


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    network = torchvision_classifier("mobilenet_v3_small", num_classes=10)
    path = tmp_path_factory.mktemp("weights") / "trained.pt"
    torch.save(network.state_dict(), path)
    return network, path


def load(path, **options):
    return torchvision_classifier("mobilenet_v3_small", weights=path, **options)


def test_the_same_model_gets_everything(source):
    network, path = source
    state = load(path, num_classes=10).state_dict()
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_another_head_stays_new_and_the_rest_is_loaded(source):
    network, path = source
    loaded, expected = load(path, num_classes=4).state_dict(), network.state_dict()
    different = {key for key in expected if loaded[key].shape != expected[key].shape}
    assert different == {"classifier.3.weight", "classifier.3.bias"}
    assert all(torch.equal(loaded[key], expected[key]) for key in expected.keys() - different)


def test_grey_images_get_the_response_of_colour(source):
    network, path = source
    grey = torch.rand(2, 1, 32, 32)
    loaded = load(path, in_channels=1, num_classes=10)
    expected = network.eval()(grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(loaded.eval()(grey), expected, rtol=1e-4, atol=1e-5)


def test_checkpoints_of_our_modules_are_read(source, tmp_path):
    network, _ = source
    state = {f"network.{key}": value for key, value in network.state_dict().items()}
    torch.save({"state_dict": state | {"mean": torch.zeros(3, 1, 1)}, "epoch": 3}, tmp_path / "last.ckpt")
    head = load(tmp_path / "last.ckpt", num_classes=10).classifier[3].weight
    assert torch.equal(head, network.classifier[3].weight)


def test_a_new_stem_keeps_its_own_convolution(tmp_path):
    torch.save(resnet18(num_classes=5).state_dict(), tmp_path / "imagenet.pth")
    network = resnet18(num_classes=5, stem="cifar", weights=tmp_path / "imagenet.pth")
    assert network.conv1.kernel_size == (3, 3)
    assert torch.equal(network.fc.weight, torch.load(tmp_path / "imagenet.pth")["fc.weight"])


def test_wrong_sources_are_one_line(source, tmp_path):
    (tmp_path / "text.pt").write_text("no weights")
    torch.save(small_cnn(num_classes=2, width=4).state_dict(), tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    for weights, message in (
        ("IMAGENET1K_V9", "try 'IMAGENET1K_V1'"),
        (tmp_path / "missing.pt", "expected a file of weights"),
        (tmp_path / "text.pt", "expected a file of weights"),
        (tmp_path / "list.pt", "expected a file of weights"),
        (tmp_path / "other.pt", "entries do not fit"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            load(weights, num_classes=2)
        assert "\n" not in str(error.value)


def test_no_network_is_one_line(monkeypatch):
    def fail(*_arguments, **_options):
        raise OSError("no route")

    monkeypatch.setattr(torchvision.models._api.WeightsEnum, "get_state_dict", fail)
    with pytest.raises(ValueError, match=r"expected to download .* no route; try model.weights=FILE"):
        load("DEFAULT", num_classes=2)


@pytest.fixture
def publish(monkeypatch):
    """Let the weights of a network stand for torchvision's own."""

    def publish(state):
        monkeypatch.setattr(torchvision.models._api.WeightsEnum, "get_state_dict", lambda *_a, **_k: state)

    return publish


@pytest.mark.parametrize(("name", "size"), [("googlenet", 64), ("inception_v3", 75)])
def test_weights_with_auxiliary_heads_give_the_answers_of_torchvision(name, size, publish):
    build = getattr(torchvision.models, name)
    publish(build(aux_logits=True, init_weights=False).state_dict())
    images = torch.randn(1, 3, size, size)
    expected = build(weights="DEFAULT").eval()(images)
    network = torchvision_classifier(name, num_classes=1000, weights="DEFAULT").eval()
    torch.testing.assert_close(network(images), expected)
    with pytest.raises(ValueError, match=r"expected a network that rescales 3 channels .*; try model.in_channels=3"):
        torchvision_classifier(name, num_classes=1000, in_channels=1, weights="DEFAULT")


@pytest.mark.parametrize("name", ["densenet121", "mnasnet0_5"])
def test_weights_of_old_releases_are_read(name, publish):
    network = getattr(torchvision.models, name)()
    state = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    publish({re.sub(r"(denselayer\d+\.(?:norm|conv))", r"\1.", key): value for key, value in state.items()})
    loaded = torchvision_classifier(name, num_classes=1000, weights="DEFAULT").state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in network.state_dict().items())


def test_first_convolution_and_head_are_found():
    network = resnet18(num_classes=3)
    assert (first_convolution(network)[0], head_name(network)) == ("conv1", "fc")
    with pytest.raises(ValueError, match="expected a network with a convolution"):
        first_convolution(torch.nn.Linear(2, 2))
