import pytest
import torch
import torchvision
from torch import Tensor, nn

from robustlit.explanations import explain, target_layers
from robustlit.models import resnet18, small_cnn, unet
from tests.explanations.networks import Dense, Pooled


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("mobilenet_v3_small", "features"),
        ("shufflenet_v2_x0_5", "conv5"),
        ("squeezenet1_1", "classifier.2"),
        ("alexnet", "features"),
    ],
)
def test_torchvisions_classifiers(name: str, layer: str) -> None:
    model = torchvision.models.get_model(name, weights=None)
    assert target_layers(model, torch.rand(1, 3, 96, 128)) == (layer,)


def test_our_own_networks() -> None:
    images = torch.rand(2, 3, 32, 48)
    assert target_layers(resnet18(num_classes=4), images) == ("layer4",)
    assert target_layers(small_cnn(num_classes=4), images) == ("features",)
    assert target_layers(unet(num_classes=4, width=4, depth=3), images) == ("bottom", "up.2")
    assert target_layers(Dense(), images) == ("features",)


def vision_transformer(**options: int) -> nn.Module:
    sizes = {"image_size": 32, "patch_size": 8, "num_layers": 3, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 16}
    model = torchvision.models.VisionTransformer(**(sizes | options))
    nn.init.normal_(model.heads.head.weight)
    return model


def test_a_transformer_whose_head_sees_the_class_token_only() -> None:
    model, images = vision_transformer(), torch.rand(2, 3, 32, 32)
    found = explain(model, images, methods=("grad_cam", "hires_cam", "eigen_cam"))
    assert found.layer == "encoder.layers.encoder_layer_2.ln_1"
    assert not found.no_evidence["eigen_cam"].any()
    with pytest.raises(ValueError, match=r"expected a layer with a spatial map, .* from 'heads'; try layer=None"):
        explain(model, images, methods="grad_cam", layer="heads")


def test_tokens_of_images_that_are_not_square_and_registers() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 6, 8, stride=8)
            self.block = nn.Linear(6, 6)
            self.head = nn.Linear(6, 3)

        def forward(self, images: Tensor) -> Tensor:
            tokens = self.patches(images).flatten(2).transpose(1, 2)
            return self.head(self.block(torch.cat((tokens[:, :3] * 0, tokens), dim=1)).mean(1))

    model, images = Tokens(), torch.rand(2, 3, 40, 72)
    found = explain(model, images, 1, methods="hires_cam")
    assert found.layer == "block"
    with torch.no_grad():
        tokens = model.block(model.patches(images).flatten(2).transpose(1, 2))
        low = (tokens @ model.head.weight[1] / (3 + 45)).relu().view(2, 1, 5, 9)
    expected = nn.functional.interpolate(low, size=(40, 72), mode="bilinear")[:, 0]
    torch.testing.assert_close(found["hires_cam"], expected)


def test_an_auxiliary_head_is_not_the_last_layer() -> None:
    class Auxiliary(Dense):
        def __init__(self) -> None:
            super().__init__()
            self.aux = nn.Conv2d(5, 3, 1)

        def forward(self, images: Tensor) -> dict[str, Tensor]:
            maps = self.features(images)
            return {"out": self.head(maps), "aux": self.aux(maps)}

    assert target_layers(Auxiliary(), torch.rand(1, 3, 8, 8)) == ("features",)
    with pytest.raises(ValueError, match=r"expected a layer that the target depends on, got 'aux'; try layer=None"):
        explain(Auxiliary(), torch.rand(1, 3, 8, 8), methods="grad_cam", layer="aux")


def test_a_changed_model_is_looked_at_again() -> None:
    model = Pooled()
    images = torch.rand(1, 3, 8, 8)
    assert target_layers(model, images) == ("act",)
    model.act = None
    model.forward = lambda x: model.head(model.norm(model.first(x)).mean((2, 3)))
    assert target_layers(model, images) == ("norm",)


@pytest.mark.parametrize(("layer", "nearest"), [("layr4", "'layer4'"), ("layer4.5", "'layer4.1'"), ("zzz", "'fc'")])
def test_an_unknown_layer_names_the_nearest(layer: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=r"expected the name of a layer, got .*; try") as error:
        explain(resnet18(num_classes=2, stem="cifar"), torch.rand(1, 3, 16, 16), layer=layer)
    assert nearest in str(error.value)
    assert len(str(error.value)) < 200


def test_a_network_without_maps() -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    with pytest.raises(ValueError, match="expected a layer with a spatial map behind the first one, got none"):
        explain(flat, torch.rand(1, 3, 4, 4), methods="grad_cam")
    with pytest.raises(ValueError, match=r"from 'head'; try layer=None"):
        explain(Pooled(), torch.rand(1, 3, 4, 4), layer="head")
