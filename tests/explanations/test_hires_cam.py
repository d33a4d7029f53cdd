import torch

from robustlit.explanations.hires_cam import hires_cam


def test_places_are_not_averaged() -> None:
    activations = torch.tensor([[[[1.0, 2.0]], [[3.0, 1.0]]]])
    gradients = torch.tensor([[[[1.0, 3.0]], [[-2.0, 5.0]]]])
    assert hires_cam(activations, gradients).tolist() == [[[0.0, 11.0]]]
