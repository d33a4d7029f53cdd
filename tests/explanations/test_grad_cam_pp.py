import torch
from torch.testing import assert_close

from robustlit.explanations.grad_cam_pp import grad_cam_pp


def test_it_is_the_papers_formula() -> None:
    """Equation 19 written out, in float64 and without a constant below."""
    activations = torch.rand(2, 5, 4, 3, dtype=torch.float64)
    gradients = torch.randn(2, 5, 4, 3, dtype=torch.float64)
    for n in range(2):
        total = torch.zeros(4, 3, dtype=torch.float64)
        for k in range(5):
            g, a = gradients[n, k], activations[n, k]
            alpha = g**2 / (2 * g**2 + a.sum() * g**3)
            total += (alpha * g.clamp(min=0)).sum() * a
        assert_close(grad_cam_pp(activations, gradients)[n], total.clamp(min=0))


def test_objects_of_different_size_weigh_alike() -> None:
    """A map of one place and a map of nine, each of activation 1: Grad-CAM++ weighs the nine no more than ninefold."""
    activations = torch.zeros(1, 2, 6, 6)
    activations[0, 0, 0, 0] = 1
    activations[0, 1, 3:, 3:] = 1
    gradients = activations.clone()
    maps = grad_cam_pp(activations, gradients)
    assert_close(maps[0, 0, 0], torch.tensor(1 / 3))
    assert_close(maps[0, 4, 4], torch.tensor(9 / 11))


def test_no_gradient_gives_zeros() -> None:
    assert not grad_cam_pp(torch.rand(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)).any()
