"""The layer-wise inverse of an encoder."""

import pytest
import torch

from robustlit.augmentations.adain import invert_encoder, style_decoder
from robustlit.modules.style_decoder import identity_loss
from tests.augmentations.adain.tiny_style import WIDTHS, shrinking_encoder, tiny_encoder


def blocks(count: int, seed: int = 0) -> torch.Tensor:
    """Blocks of random colours as large as a feature."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, 4, 4, generator=generator).repeat_interleave(8, 2).repeat_interleave(8, 3)


@pytest.mark.parametrize("convolutions", [(2, 2, 4, 1), (2, 2, 3, 1)])
def test_pictures_come_back_that_were_not_among_those_it_was_made_from(convolutions) -> None:
    """An encoder that only shrinks the picture: blocks as large as a feature are all there is to know."""
    encoder, decoder = shrinking_encoder(convolutions), style_decoder((3, 3, 3, 3))
    invert_encoder(decoder, encoder, blocks(60), places=200)
    new = blocks(10, seed=1)
    grey = new.var().item()  # what the mean alone would give
    assert identity_loss(encoder, decoder, new).item() < 0.1 * grey


def test_the_first_layer_is_the_least_squares_solution() -> None:
    """Of relu4_1's padded windows for the pooled block before, solved again from centred ones in double precision."""
    encoder, decoder, images = tiny_encoder(), style_decoder(WIDTHS[::-1]), blocks(12)
    for layer in encoder.convolutions[1:]:
        torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    invert_encoder(decoder, encoder, images, places=16, ridge=1e-3)
    with torch.no_grad():
        windows = torch.nn.functional.unfold(decoder[0](encoder(images)), 3).permute(0, 2, 1).flatten(0, 1)
        before = images
        for layer in encoder.layers[: encoder.ends[-1] - 3]:
            before = layer(before)
    targets = before.flatten(2).permute(0, 2, 1).flatten(0, 1)
    inputs, means = windows.double() - windows.double().mean(0), targets.double().mean(0)
    square = inputs.t() @ inputs
    square.diagonal().add_(1e-3 * square.diagonal().mean())
    wanted = inputs @ torch.linalg.solve(square, inputs.t() @ (targets.double() - means)) + means
    with torch.no_grad():
        got = windows @ decoder[1].weight.flatten(1).t() + decoder[1].bias
    spread = targets.std().item()
    torch.testing.assert_close(got.double() / spread, wanted / spread, atol=0.05, rtol=0)


def test_other_widths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"try model.widths=\[10, 8, 6, 4\]"):
        invert_encoder(style_decoder((10, 8, 6, 8)), tiny_encoder(), blocks(2))
