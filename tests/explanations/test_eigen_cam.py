import pytest
import torch
from torch.testing import assert_close

from robustlit.explanations.eigen_cam import eigen_cam, first_component


@pytest.mark.parametrize("shape", [(2, 30, 4, 5), (2, 6, 9, 8)])  # more channels than places, and fewer
def test_it_is_the_first_singular_vector(shape: tuple[int, ...]) -> None:
    activations = torch.rand(shape)
    found = first_component(activations)
    for n in range(2):
        flat = activations[n].flatten(1).T.double()
        flat = flat - flat.mean(0)
        u, s, _ = torch.linalg.svd(flat, full_matrices=False)
        expected = (u[:, 0] * s[0]).view(shape[2:]).float()
        sign = torch.sign((expected * found[n]).sum())
        assert_close(found[n], expected * sign, rtol=0, atol=1e-5)
        assert (found[n] * activations[n].sum(0)).sum() > 0


def test_a_spot_is_found_whatever_its_sign_in_the_decomposition() -> None:
    activations = torch.zeros(1, 4, 6, 6)
    activations[0, :, 1:3, 4] = torch.tensor([1.0, 2.0, 3.0, 0.5])[:, None]
    assert eigen_cam(activations)[0].flatten().topk(2).indices.tolist() in ([10, 16], [16, 10])
    assert (eigen_cam(activations) > 1e-5).sum() == 2


def test_constant_maps_have_no_component() -> None:
    assert not first_component(torch.ones(1, 3, 4, 4)).any()
