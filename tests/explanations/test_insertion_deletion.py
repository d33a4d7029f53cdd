import pytest
import torch
from torch.testing import assert_close

from robustlit.explanations import RegionTarget, insertion_deletion
from robustlit.explanations.insertion_deletion import blurred
from tests.explanations.networks import Dense, PixelDetector


def test_a_one_pixel_detector_is_right_from_the_first_pixel() -> None:
    model = PixelDetector(1, 2)
    image = torch.full((1, 1, 4, 4), 0.2)
    image[0, 0, 1, 2] = 1.0
    perfect = torch.zeros(1, 4, 4)
    perfect[0, 1, 2] = 1
    curves = insertion_deletion(model, image, perfect, 1, steps=16, value=0.0)

    def chance(pixel: float) -> float:
        return torch.tensor([0.0, pixel]).softmax(0)[1].item()

    soft = blurred(image)[0, 0, 1, 2].item()
    assert curves.insertion[0].tolist() == pytest.approx([chance(soft)] + 16 * [chance(1)])
    assert curves.deletion[0].tolist() == pytest.approx([chance(1)] + 16 * [0.5])
    assert curves.deletion_area.item() == pytest.approx((0.5 * (chance(1) + 0.5) + 15 * 0.5) / 16)
    worst = insertion_deletion(model, image, -perfect, 1, steps=16, value=0.0)
    assert worst.deletion[0].tolist() == pytest.approx(16 * [chance(1)] + [0.5])
    assert worst.insertion_area < curves.insertion_area


@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_batch_size_changes_nothing(batch_size: int) -> None:
    model, images, maps = Dense(), torch.rand(3, 3, 6, 5), torch.rand(3, 6, 5)
    one, two = (
        insertion_deletion(model, images, maps, RegionTarget(), steps=4, batch_size=size) for size in (64, batch_size)
    )
    assert one.insertion.shape == (3, 5)
    assert_close(one.insertion, two.insertion)
    assert_close(one.deletion, two.deletion)


def test_curves_end_where_they_must() -> None:
    model, images = Dense(), torch.rand(3, 3, 6, 5)
    one, two = (insertion_deletion(model, images, torch.rand(3, 6, 5), 1, steps=4) for _ in range(2))
    assert_close(one.insertion[:, -1], one.deletion[:, 0])
    assert_close(one.insertion[:, -1], two.insertion[:, -1])
    assert_close(
        one.deletion[:, -1], model(torch.full((3, 3, 6, 5), 0.5))["out"].softmax(1)[:, 1].mean((1, 2)).detach()
    )


def test_blur_keeps_the_mean_of_a_constant_and_spreads_a_point() -> None:
    assert_close(blurred(torch.full((1, 2, 9, 14), 0.3)), torch.full((1, 2, 9, 14), 0.3))
    point = torch.zeros(1, 1, 224, 224)
    point[0, 0, 112, 112] = 1
    soft = blurred(point)[0, 0]
    x = torch.arange(224.0) - 112
    assert_close((soft.sum(0) * x**2).sum().sqrt(), torch.tensor(5.0), rtol=0.02, atol=0)


@pytest.mark.parametrize(("options", "message"), [({"steps": 0}, "expected 1 or more steps"), ({}, "expected maps of")])
def test_bad_input(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        insertion_deletion(Dense(), torch.rand(1, 3, 6, 5), torch.rand(1, 5, 6), **options)
