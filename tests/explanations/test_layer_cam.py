import torch

from robustlit.explanations.layer_cam import layer_cam


def test_only_places_with_a_positive_gradient_count() -> None:
    activations = torch.tensor([[[[1.0, 2.0]], [[3.0, 1.0]]]])
    gradients = torch.tensor([[[[1.0, 3.0]], [[-2.0, 5.0]]]])
    assert layer_cam(activations, gradients).tolist() == [[[1.0, 11.0]]]
