import pytest
import torch
from torch import nn

from robustlit.explanations import cascading_randomisation
from robustlit.models import small_cnn
from tests.explanations.networks import Linear


def test_layers_forget_from_the_output_to_the_input() -> None:
    model = small_cnn(num_classes=4, width=8)
    cascade = cascading_randomisation(
        model, torch.rand(3, 3, 32, 32), methods=("saliency", "grad_cam"), stages=4, progress=False
    )
    assert cascade.layers == ("features.7.0", "features.4.1", "features.1.1", "features.0.0")
    assert set(cascade.similarity) == {"saliency", "grad_cam"}
    assert cascade.similarity["saliency"].shape == (4, 3)
    assert cascade.similarity["saliency"].nan_to_num().abs().max() < 0.99


def test_a_map_of_the_image_alone_does_not_change() -> None:
    """Eigen-CAM of the first layer knows nothing of the layers that forgot; the gradient does."""
    model = small_cnn(num_classes=4, width=8)
    images = torch.rand(2, 3, 32, 32)
    cascade = cascading_randomisation(
        model, images, methods=("eigen_cam", "saliency"), layer="features.0.0", stages=1000, progress=False
    )
    assert len(cascade.layers) == 13
    assert (cascade.similarity["eigen_cam"][:-1] > 0.999).all()
    assert (cascade.similarity["saliency"] < 0.999).all()


def test_a_forgotten_layer_keeps_mean_and_spread_and_the_seed_decides() -> None:
    images, seen = torch.rand(1, 3, 24, 24), []

    class Watched(Linear):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(self.weight.detach().clone())
            return super().forward(images)

    model = Watched(torch.randn(2, 3, 24, 24) * 3 + 1)
    for seed in (0, 0, 1):
        cascading_randomisation(model, images, methods="saliency", stages=1, seed=seed, progress=False)
    first, *_ = seen
    new = [values for values in seen if not torch.equal(values, first)]
    assert len(new) == 3
    assert torch.equal(new[0], new[1])
    assert not torch.equal(new[0], new[2])
    assert abs(new[0].mean() - 1) < 0.3
    assert abs(new[0].std() - 3) < 0.3
    assert torch.equal(model.weight.detach(), first)


def test_bad_input() -> None:
    images = torch.rand(1, 3, 4, 4)
    with pytest.raises(ValueError, match="expected a model with parameters, got Flatten without any"):
        cascading_randomisation(nn.Flatten(), images, methods="saliency", progress=False)
    with pytest.raises(ValueError, match="expected 1 or more stages"):
        cascading_randomisation(nn.Flatten(), images, stages=0)
    with pytest.raises(ValueError, match=r"expected an nn\.Module whose weights can be forgotten"):
        cascading_randomisation(lambda x: x.flatten(1), images, methods="saliency", progress=False)
