import numpy as np
import pytest
import torch
from scipy import ndimage

from robustlit.corruptions import corrupt, corrupt_with_masks
from robustlit.corruptions.digital.elastic_transform import ElasticDraws, ElasticTransform, elastic_transform


def drawn(count: int, height: int, width: int, reach: float) -> ElasticDraws:
    generator = torch.Generator().manual_seed(height)
    jitter = (torch.rand(count, 3, 2, generator=generator) * 2 - 1) * reach
    return ElasticDraws(jitter, torch.rand(count, 2, height, width, generator=generator) * 2 - 1)


def through_opencv(pixels: np.ndarray, jitter: np.ndarray) -> np.ndarray:
    cv2 = pytest.importorskip("cv2")
    height, width = pixels.shape
    half, center = min(height, width) // 3, np.float32((height // 2, width // 2))
    corners = center + np.float32([[half, half], [half, -half], [-half, -half]])
    matrix = cv2.getAffineTransform(corners, corners + jitter)
    return cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)


def through_scipy(pixels: np.ndarray, fields: np.ndarray, alpha: float, sigma: float) -> np.ndarray:
    moves = [ndimage.gaussian_filter(field.astype(float), sigma, mode="reflect", truncate=3) for field in fields]
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    places = rows + alpha * moves[1], columns + alpha * moves[0]
    return ndimage.map_coordinates(pixels, places, order=1, mode="reflect")


@pytest.mark.parametrize(("height", "width", "reach"), [(32, 32, 2.5), (47, 80, 3.0), (80, 47, 8.0), (224, 224, 48.0)])
def test_the_affine_map_equals_opencv_to_the_rounding_of_coordinates(height, width, reach):
    draws = drawn(3, height, width, reach)
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    waves = 0.5 + 0.25 * (rows / 3).sin() + 0.25 * (columns / 4).cos()  # slopes up to 1/12 and 1/16 a pixel
    found = elastic_transform(waves.expand(3, 1, -1, -1), draws.jitter, draws.fields, 0.0, 0.0)
    rounding = (1 / 12 + 1 / 16) / 64  # of coordinates to 1/32 pixel, which OpenCV did up to version 4
    for i in range(3):
        wanted = through_opencv(waves.numpy(), draws.jitter[i].numpy())
        assert np.abs(found[i, 0].numpy() - wanted).max() < rounding + 1e-4


@pytest.mark.parametrize(("alpha", "sigma"), [(488.0, 170.8), (40.0, 6.0), (12.2, 2.44), (3.2, 0.96)])
def test_the_displacement_equals_scipy(alpha, sigma):
    draws = drawn(2, 40, 61, 0.0)
    images = torch.rand(2, 1, 40, 61, generator=torch.Generator().manual_seed(1))
    found = elastic_transform(images, draws.jitter, draws.fields, alpha, sigma)
    for i in range(2):
        wanted = through_scipy(images[i, 0].double().numpy(), draws.fields[i].numpy(), alpha, sigma)
        assert np.abs(found[i, 0].numpy() - wanted).max() < 2e-4


def test_a_triangle_without_area_reads_one_place_only():
    corners = torch.tensor([[26.0, 26.0], [26.0, 6.0], [6.0, 6.0]])
    flat = ElasticDraws((torch.tensor([16.0, 16.0]) - corners)[None], torch.zeros(1, 2, 32, 32))
    found = elastic_transform(torch.rand(1, 3, 32, 32), flat.jitter, flat.fields, 1.0, 1.0)
    assert torch.allclose(found, found[..., :1, :1].expand_as(found))


@pytest.mark.parametrize("severity", range(1, 6))
@pytest.mark.parametrize("size", [(64, 90), (224, 224)])
def test_masks_move_with_the_pixels(size, severity):
    rows, columns = torch.meshgrid(*(torch.arange(side) for side in size), indexing="ij")
    masks = ((rows // 12 + columns // 15) % 2 * 255).expand(2, -1, -1).to(torch.uint8)
    preset = "tiny" if min(size) < 112 else "imagenet"
    images, moved = corrupt_with_masks(masks[:, None], masks, "elastic_transform", severity, preset=preset)
    assert moved.dtype == torch.uint8
    assert set(moved.unique().tolist()) == {0, 255}
    flat = (images[:, 0] == 0) | (images[:, 0] == 255)  # away from edges, where pixels are not mixtures
    assert float(flat.float().mean()) > 0.4
    agree = (images[:, 0] == moved)[flat].float().mean()
    assert float(agree) > 0.999
    assert torch.equal(images, corrupt(masks[:, None], "elastic_transform", severity, preset=preset))


def test_masks_of_any_dtype_are_looked_up_not_mixed():
    masks = torch.randint(-1, 1 << 40, (2, 40, 50), generator=torch.Generator().manual_seed(0))
    level = ElasticTransform().level("cifar", 5)
    moved = ElasticTransform().warp(masks, drawn(2, 40, 50, level[2]), level)
    assert moved.dtype == torch.int64
    assert set(moved.unique().tolist()) <= set(masks.unique().tolist())


def test_no_jitter_and_no_displacement_change_nothing():
    images = torch.rand(1, 3, 20, 33, generator=torch.Generator().manual_seed(0))
    still = ElasticDraws(torch.zeros(1, 3, 2), torch.zeros(1, 2, 20, 33))
    assert torch.allclose(elastic_transform(images, still.jitter, still.fields, 5.0, 2.0), images, atol=1e-5)
    masks = torch.arange(660).view(1, 20, 33)
    assert torch.equal(ElasticTransform().warp(masks, still, (5.0, 2.0, 1.0)), masks)
