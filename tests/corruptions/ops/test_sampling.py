import torch

from robustlit.corruptions.ops.sampling import bilinear, nearest


def by_hand(image: torch.Tensor, row: float, column: float) -> float:
    """One channel at one place, pixel by pixel, black outside."""
    total = 0.0
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            total += max(0.0, 1 - abs(row - r)) * max(0.0, 1 - abs(column - c)) * float(image[r, c])
    return total


def test_bilinear_is_the_tent_of_every_pixel_also_across_the_edge():
    images = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    rows = torch.tensor([[[-2.0, -0.25, 0.0, 1.5, 3.9, 4.0, 4.3, 5.0, 9.0]]])
    columns = torch.tensor([[[-0.5], [0.0], [2.25], [6.0], [6.75], [7.0], [40.0]]])
    found = bilinear(images, rows, columns)
    assert found.shape == (2, 3, 7, 9)
    for i in range(7):
        for j in range(9):
            wanted = by_hand(images[1, 2], float(rows[0, 0, j]), float(columns[0, i, 0]))
            assert abs(float(found[1, 2, i, j]) - wanted) < 1e-6


def test_whole_places_give_the_pixels_exactly():
    images = torch.rand(2, 3, 17, 20, generator=torch.Generator().manual_seed(1))
    rows, columns = torch.arange(17.0)[None, :, None], torch.arange(20.0)[None, None]
    assert torch.equal(bilinear(images, rows, columns), images)


def test_nearest_takes_any_dtype_and_repeats_the_edge():
    masks = torch.arange(6, dtype=torch.uint8).view(1, 2, 3)
    rows, columns = torch.tensor([[[-3.0], [0.4], [0.6]]]), torch.tensor([[[0.2, 1.6, 8.0]]])
    found = nearest(masks, rows, columns)
    assert found.dtype == torch.uint8
    assert found[0].tolist() == [[0, 2, 2], [0, 2, 2], [3, 5, 5]]
