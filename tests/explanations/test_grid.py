import pytest
import torch

from robustlit.explanations.grid import Grid, grid_of


@pytest.mark.parametrize(
    ("output", "image", "expected"),
    [
        ((2, 512, 7, 7), (224, 224), Grid(7, 7, "maps")),
        ((2, 7, 7, 768), (224, 224), Grid(7, 7, "channels_last")),
        ((2, 6, 9, 40), (96, 144), Grid(6, 9, "channels_last")),
        ((2, 40, 6, 9), (96, 144), Grid(6, 9, "maps")),
        ((2, 7, 7, 7), (224, 224), Grid(7, 7, "maps")),
        ((2, 197, 768), (224, 224), Grid(14, 14, "tokens", 1)),
        ((2, 196, 768), (224, 224), Grid(14, 14, "tokens", 0)),
        ((2, 201, 768), (224, 224), Grid(14, 14, "tokens", 5)),
        ((2, 257, 1024), (224, 224), Grid(16, 16, "tokens", 1)),
        ((2, 1 + 8 * 12, 32), (128, 192), Grid(8, 12, "tokens", 1)),
        ((2, 5 + 37 * 49, 32), (518, 686), Grid(37, 49, "tokens", 5)),
        ((2, 512, 1, 1), (224, 224), None),
        ((2, 512), (224, 224), None),
        ((8, 49, 96), (224, 224), None),  # windows of a Swin: not one row an image
        ((2, 77, 512), (224, 224), None),
    ],
)
def test_layouts(output: tuple[int, ...], image: tuple[int, int], expected: Grid | None) -> None:
    assert grid_of(torch.zeros(output), torch.zeros(2, 3, *image)) == expected


def test_whole_numbers_are_no_map() -> None:
    assert grid_of(torch.zeros(2, 3, 4, 4, dtype=torch.int64), torch.zeros(2, 3, 8, 8)) is None


def test_maps_of_every_layout_are_the_same() -> None:
    maps = torch.rand(2, 5, 3, 4)
    tokens = torch.cat((torch.rand(2, 2, 5), maps.flatten(2).transpose(1, 2)), dim=1)
    assert torch.equal(Grid(3, 4, "maps").maps(maps), maps)
    assert torch.equal(Grid(3, 4, "channels_last").maps(maps.permute(0, 2, 3, 1)), maps)
    assert torch.equal(Grid(3, 4, "tokens", 2).maps(tokens), maps)
