import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from robustlit.core import Adapter
from robustlit.explanations import Occlusion, RegionTarget, ScoreCAM, SmoothGrad, explain
from robustlit.explanations.registry import names
from robustlit.models import unet
from tests.explanations.networks import Dense, Linear, Pooled

ALL = (
    "cam",
    "deconvnet",
    "eigen_cam",
    "grad_cam",
    "grad_cam_pp",
    "gradient_x_input",
    "guided_backprop",
    "hires_cam",
    "integrated_gradients",
    "layer_cam",
    "occlusion",
    "saliency",
    "score_cam",
    "smooth_grad",
)
QUICK = (
    *(name for name in ALL if name not in ("occlusion", "score_cam")),
    Occlusion(progress=False),
    ScoreCAM(progress=False),
)


class Counted(Pooled):
    """Counts forward passes, and the backward passes that reach its first layer."""

    forwards = backwards = 0

    def forward(self, images: Tensor) -> Tensor:
        self.forwards += 1
        if images.requires_grad:
            images.register_hook(self.count)
        return super().forward(images)

    def count(self, gradient: Tensor) -> None:
        self.backwards += 1


def test_every_method_is_named() -> None:
    assert names() == ALL


def test_every_method_gives_a_map_at_image_size() -> None:
    maps = explain(Pooled(), torch.rand(2, 3, 12, 16), methods=QUICK, layer="act")
    assert set(maps) == set(ALL)
    assert all(values.shape == (2, 12, 16) and values.dtype == torch.float32 for values in maps.values())
    assert all(not values.requires_grad for values in maps.values())


def test_all_gradient_maps_come_from_one_forward_and_one_backward() -> None:
    model, images = Counted(), torch.rand(2, 3, 12, 16)
    methods = ("saliency", "gradient_x_input", "cam", "grad_cam", "grad_cam_pp", "layer_cam", "hires_cam", "eigen_cam")
    together = explain(model, images, methods=methods, layer="act")
    assert (model.forwards, model.backwards) == (1, 1)
    for name in methods:
        assert torch.equal(explain(model, images, methods=name, layer="act")[name], together[name])


def test_other_relu_rules_cost_one_more_backward_each() -> None:
    model = Counted()
    explain(model, torch.rand(2, 3, 8, 8), methods=("saliency", "guided_backprop", "deconvnet"))
    assert (model.forwards, model.backwards) == (1, 3)


def test_the_automatic_layer_is_looked_for_once() -> None:
    model, images = Counted(), torch.rand(2, 3, 12, 16)
    assert explain(model, images).layer == "act"
    assert model.forwards == 2
    model.forwards = 0
    explain(model, images)
    assert model.forwards == 1


def test_images_are_explained_alone() -> None:
    """A map does not depend on the other images of the batch."""
    model, images = Pooled(), torch.rand(3, 3, 8, 8)
    methods = ("saliency", "grad_cam", "smooth_grad", "integrated_gradients")
    whole = explain(model, images, methods=methods, layer="act")
    first = explain(model, images[:1], methods=methods, layer="act")
    for name in methods:
        assert_close(whole[name][:1], first[name])


def test_several_layers_in_one_pass() -> None:
    model, images = unet(num_classes=3, width=4, depth=2), torch.rand(2, 3, 16, 24)
    maps = explain(model, images, methods=("saliency", "grad_cam"), layer=("bottom", "up.1"))
    assert list(maps) == ["saliency", "grad_cam@bottom", "grad_cam@up.1"]
    assert maps.layers == ("bottom", "up.1")
    for layer in maps.layers:
        alone = explain(model, images, maps.goal, methods="grad_cam", layer=layer)
        assert_close(maps[f"grad_cam@{layer}"], alone["grad_cam"])


def test_the_result_says_what_it_explains() -> None:
    model, images = Pooled(), torch.rand(2, 3, 8, 8)
    maps = explain(model, images, layer="act")
    assert maps.layer == "act"
    assert_close(maps.logits, model.eval()(images).detach())
    assert torch.equal(maps.target, maps.logits.argmax(1))
    again = pickle.loads(pickle.dumps(maps))
    assert torch.equal(again["saliency"], maps["saliency"])
    assert again.layer == "act"
    assert explain(model, images, methods="saliency").layer is None


def test_maps_without_evidence_are_named() -> None:
    model = Pooled()
    nn.init.constant_(model.head.weight, -1.0)  # nothing speaks for any class
    maps = explain(model, torch.rand(2, 3, 8, 8), 1, layer="act")
    assert maps.no_evidence["grad_cam"].tolist() == [True, True]
    assert maps.no_evidence["saliency"].tolist() == [False, False]


def test_an_adapter_reads_logits_and_normalises() -> None:
    weight, images = torch.randn(2, 3, 4, 4), torch.rand(2, 3, 4, 4)

    class Wrapped(Linear):
        def forward(self, images: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
            return {"scores": super().forward(images)}

    adapter = Adapter(logits="scores", mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.5))
    found = explain(Wrapped(weight), images, 1, methods="saliency", adapter=adapter)["saliency"]
    by_pixel = weight[1] / torch.tensor([0.2, 0.25, 0.5])[:, None, None]
    assert_close(found, by_pixel.abs().amax(0).expand(2, 4, 4))


def test_methods_of_modules_and_other_callables() -> None:
    model, images = Linear(torch.randn(2, 3, 4, 4)), torch.rand(2, 3, 4, 4)
    expected = explain(model, images, 1, methods="saliency")["saliency"]
    assert torch.equal(explain(model.forward, images, 1, methods="saliency")["saliency"], expected)
    assert torch.equal(explain(lambda x: model(x), images, 1, methods="saliency")["saliency"], expected)


def test_double_precision_stays() -> None:
    maps = explain(Pooled().double(), torch.rand(1, 3, 8, 8).double(), layer="act", methods=("saliency", "grad_cam"))
    assert maps["saliency"].dtype == maps["grad_cam"].dtype == torch.float64


def test_segmentation_targets_reach_every_method() -> None:
    truth = torch.zeros(2, 8, 8, dtype=torch.int64)
    methods = (*(m for m in QUICK if m not in ("cam", "smooth_grad")), SmoothGrad(samples=2))
    maps = explain(Dense(), torch.rand(2, 3, 8, 8), RegionTarget(0, truth), methods=methods)
    assert all(not maps.no_evidence[name].any() for name in ("saliency", "occlusion", "smooth_grad"))
    assert torch.equal(maps.goal.region, truth == 0)


class NotLogits(Linear):
    def forward(self, images: Tensor) -> object:  # type: ignore[override]
        return "seven"


IMAGES = torch.rand(2, 3, 4, 4)
MODEL = Linear(torch.randn(2, 3, 4, 4))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"methods": "gradcam"}, ValueError, "expected the name of a method, got 'gradcam'; try 'grad_cam'"),
        ({"methods": ()}, ValueError, "expected at least one method, got none"),
        ({"methods": ("saliency", "saliency")}, ValueError, "expected every method once, got 'saliency' twice"),
        ({"methods": (3,)}, TypeError, "expected a method as a name or a Method, got 3"),
        ({"images": IMAGES[:0]}, ValueError, "expected at least one image to explain, got none"),
        ({"images": IMAGES[0]}, ValueError, r"expected images N×C×H×W, got shape \(3, 4, 4\); try images\[None\]"),
        ({"images": (IMAGES * 255).byte()}, TypeError, "expected images as a float tensor"),
        ({"model": "resnet18"}, TypeError, "expected a model that can be called, got str"),
        ({"model": NotLogits(torch.randn(2, 48))}, TypeError, "expected logits as a tensor"),
        ({"model": lambda images: images.sum()}, TypeError, r"expected logits of 2 images, .*, got shape \(\)"),
        ({"model": lambda images: images.detach().flatten(1)}, ValueError, "expected logits that are differentiable"),
        ({"images": IMAGES * float("nan"), "methods": "gradient_x_input"}, ValueError, "expected finite maps, got NaN"),
        ({"target": 2}, ValueError, "expected a target from 0 to 1, got 2 for image 0"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        explain(**({"model": MODEL, "images": IMAGES, "methods": "saliency"} | arguments))
    assert "\n" not in str(raised.value)
