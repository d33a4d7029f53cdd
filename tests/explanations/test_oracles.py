"""The same maps as captum, torchcam and pytorch-grad-cam on a ResNet-18, for every method that one of them shares.

They are no dependencies: the tests are skipped where they are not importable (``pip install --no-deps captum torchcam
grad-cam ttach``, with matplotlib and scikit-learn for them). Maps are compared after scaling to a largest absolute
value of 1, because gradients of random weights are small.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.core.random import fold, normal, sample_seeds
from robustlit.explanations import IntegratedGradients, Occlusion, ScoreCAM, SmoothGrad, explain
from robustlit.explanations.eigen_cam import first_component
from robustlit.explanations.insertion_deletion import insertion_deletion
from robustlit.models import resnet18

pytestmark = pytest.mark.slow

SIZE = (100, 155)  # 25 and 31 times layer4's 4×5: odd, so torchcam's masks, stretched before upsampling, are ours
CLASSES = [3, 0]
BOUND = 1e-5


@pytest.fixture
def model() -> nn.Module:
    """Random weights, the statistics of a forward pass, and ReLUs that captum can hook."""
    torch.manual_seed(0)
    network = resnet18(num_classes=5).double()
    network(torch.rand(8, 3, *SIZE).double())
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return network.float().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, *SIZE)


def close(ours: Tensor, theirs: Tensor) -> None:
    theirs = torch.as_tensor(theirs).detach()
    theirs = upsampled(theirs) if theirs.shape[-2:] != ours.shape[-2:] else theirs
    assert ours.abs().amax() > 0
    scale = ours.abs().flatten(1).amax(1)[:, None, None]
    error = ((ours - theirs) / scale).abs().max().item()
    print(f"largest difference {error:.1e}")
    assert error <= BOUND


def upsampled(maps: Tensor) -> Tensor:
    return F.interpolate(maps[:, None], size=SIZE, mode="bilinear", align_corners=False)[:, 0]


def stretched(maps: Tensor) -> Tensor:
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low)


def ours(model: nn.Module, images: Tensor, method: Any) -> Tensor:
    return next(iter(explain(model, images, CLASSES, method).values()))


def captum() -> Any:
    return pytest.importorskip("captum.attr", reason="captum is not installed")


def test_captum_saliency(model: nn.Module, images: Tensor) -> None:
    theirs = captum().Saliency(model).attribute(images.clone().requires_grad_(), target=CLASSES)
    close(ours(model, images, "saliency"), theirs.amax(1))


def test_captum_input_x_gradient(model: nn.Module, images: Tensor) -> None:
    theirs = captum().InputXGradient(model).attribute(images.clone().requires_grad_(), target=CLASSES)
    close(ours(model, images, "gradient_x_input"), theirs.sum(1))


def test_captum_integrated_gradients(model: nn.Module, images: Tensor) -> None:
    theirs = captum().IntegratedGradients(model).attribute(images.clone(), target=CLASSES, n_steps=12)
    close(ours(model, images, IntegratedGradients(steps=12)), theirs.sum(1))


def test_captum_guided_backprop(model: nn.Module, images: Tensor) -> None:
    theirs = captum().GuidedBackprop(model).attribute(images.clone().requires_grad_(), target=CLASSES)
    close(ours(model, images, "guided_backprop"), theirs.abs().amax(1))


def test_captum_deconvolution(model: nn.Module, images: Tensor) -> None:
    theirs = captum().Deconvolution(model).attribute(images.clone().requires_grad_(), target=CLASSES)
    close(ours(model, images, "deconvnet"), theirs.abs().amax(1))


def test_captum_noise_tunnel(model: nn.Module, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    attr = captum()
    seeds = fold(sample_seeds(0, torch.arange(2)), "smooth_grad")
    draws = torch.stack([normal(fold(seeds, sample), (3, *SIZE)) for sample in range(4)], dim=1).flatten(0, 1)
    spread = 0.15 * (images.flatten(1).amax(1) - images.flatten(1).amin(1))
    noise = draws * spread.repeat_interleave(4)[:, None, None, None]
    monkeypatch.setattr(torch, "normal", lambda *args, **kwargs: noise)
    tunnel = attr.NoiseTunnel(attr.Saliency(model))
    theirs = tunnel.attribute(images.clone(), nt_type="smoothgrad", nt_samples=4, target=CLASSES, abs=False)
    close(ours(model, images, SmoothGrad(samples=4)), theirs.abs().amax(1))


def test_captum_occlusion(model: nn.Module, images: Tensor) -> None:
    theirs = (
        captum()
        .Occlusion(model)
        .attribute(images, (3, 40, 40), strides=(3, 24, 24), baselines=0.5, target=CLASSES, perturbations_per_eval=4)
    )
    close(ours(model, images, Occlusion(40, 24, progress=False)), theirs[:, 0])


def test_captum_grad_cam(model: nn.Module, images: Tensor) -> None:
    theirs = captum().LayerGradCam(model, model.layer4).attribute(images, target=CLASSES, relu_attributions=True)
    close(ours(model, images, "grad_cam"), theirs[:, 0])


@pytest.mark.parametrize(
    ("name", "theirs"), [("cam", "CAM"), ("grad_cam", "GradCAM"), ("layer_cam", "LayerCAM"), ("score_cam", "ScoreCAM")]
)
def test_torchcam(model: nn.Module, images: Tensor, name: str, theirs: str) -> None:
    methods = pytest.importorskip("torchcam.methods", reason="torchcam is not installed")
    more = {"fc_layer": "fc"} if name == "cam" else {}
    with getattr(methods, theirs)(model, "layer4", input_shape=(3, *SIZE), **more) as extractor:
        scores = model(images.clone().requires_grad_())
        maps = extractor(CLASSES, scores, normalized=False)[0]
    method = ScoreCAM(progress=False) if name == "score_cam" else name
    found = ours(model, images, method)
    close(found, maps.relu() if name == "score_cam" else maps)


@pytest.mark.parametrize("layer", ["layer4", "layer3.0"])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("grad_cam", "GradCAM"),
        ("grad_cam_pp", "GradCAMPlusPlus"),
        ("layer_cam", "LayerCAM"),
        ("hires_cam", "HiResCAM"),
        ("eigen_cam", "EigenCAM"),
    ],
)
def test_pytorch_grad_cam(model: nn.Module, images: Tensor, name: str, theirs: str, layer: str) -> None:
    package = pytest.importorskip("pytorch_grad_cam", reason="grad-cam is not installed")
    targets = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    model.fc.weight.data.mul_(1e4)  # or the 1e-6 that it adds to g² decides its Grad-CAM++
    with getattr(package, theirs)(model, [model.get_submodule(layer)]) as extractor:
        wanted = [targets.ClassifierOutputTarget(index) for index in CLASSES]
        maps = torch.as_tensor(extractor(images, wanted))
        activations = torch.as_tensor(extractor.activations_and_grads.activations[0])
        if name == "eigen_cam":  # its sign is what LAPACK returns, and it cuts off one side
            raw = torch.as_tensor(extractor.get_cam_image(None, None, None, activations.numpy(), None, False))
            low = first_component(activations)
            sign = (raw * low).sum((1, 2), keepdim=True).sign()
            close(upsampled(low), raw * sign)
            return
    close(stretched(explain(model, images, CLASSES, name, layer)[name]), maps)


def test_pytorch_grad_cam_guided_backprop(model: nn.Module, images: Tensor) -> None:
    package = pytest.importorskip("pytorch_grad_cam", reason="grad-cam is not installed")
    expected = ours(model, images, "guided_backprop")
    for index in range(2):
        guided = package.GuidedBackpropReLUModel(model=model, device=torch.device("cpu"))
        theirs = torch.as_tensor(guided(images[index : index + 1].clone(), target_category=CLASSES[index]))
        close(expected[index : index + 1], theirs.abs().amax(2)[None])


def test_torchcam_insertion_deletion(model: nn.Module, images: Tensor) -> None:
    metrics = pytest.importorskip("torchcam.metrics", reason="torchcam is not installed")
    methods = pytest.importorskip("torchcam.methods")
    with methods.GradCAM(model, "layer4", input_shape=(3, *SIZE)) as extractor:
        metric = metrics.DeletionInsertionMetric(extractor, lambda logits: logits.softmax(1), steps=20)
        ranks = torch.rand(2, SIZE[0] * SIZE[1]).argsort(1).argsort(1)
        target = torch.tensor(CLASSES)
        scores = model(images).softmax(1)[[0, 1], CLASSES].detach()
        _, deletion, _ = metric._compute_curves(images, torch.full_like(images, 0.5), ranks, target, scores)
    curves = insertion_deletion(model, images, -ranks.view(2, *SIZE).float(), CLASSES, steps=20)
    assert deletion.shape == (2, 21)
    assert deletion.std() > 0
    assert (deletion - curves.deletion).abs().max() <= BOUND
