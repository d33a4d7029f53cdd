import torch

from robustlit.corruptions.ops.distance import chamfer_distance


def by_all_pairs(marks, limit):
    """The smallest chamfer length over all marks, in closed form."""
    rows, columns = torch.meshgrid(*(torch.arange(size) for size in marks.shape), indexing="ij")
    found = torch.full(marks.shape, float(limit), dtype=torch.float64)
    for row, column in marks.nonzero().tolist():
        across, down = (rows - row).abs(), (columns - column).abs()
        long, short = torch.maximum(across, down).double(), torch.minimum(across, down).double()
        flat = 2.1969 * short + (long - 2 * short)
        steep = 2.1969 * (long - short) + 1.4 * (2 * short - long)
        found = torch.minimum(found, torch.where(2 * short <= long, flat, steep))
    return found


def test_equals_the_smallest_length_over_all_marks():
    marks = torch.rand(4, 45, 38) > torch.tensor([0.999, 0.99, 0.9, 0.5]).view(4, 1, 1)
    marks[0, 0, 37] = True
    expected = torch.stack([by_all_pairs(plane, 20) for plane in marks])
    found = chamfer_distance(marks, 20)
    assert torch.allclose(found.double(), expected, atol=3e-4)  # lengths are rounded to 1/65536
    assert float(found[0].max()) == 20


def test_nothing_wraps_around_the_border():
    marks = torch.zeros(1, 16, 16, dtype=torch.bool)
    marks[0, 8, 15] = True
    assert chamfer_distance(marks, 20)[0, 8].tolist() == [float(15 - column) for column in range(16)]
    assert float(chamfer_distance(marks, 20)[0, 9, 0]) > 15


def test_without_marks_all_is_at_the_limit():
    assert torch.equal(chamfer_distance(torch.zeros(2, 16, 20, dtype=torch.bool), 20), torch.full((2, 16, 20), 20.0))
