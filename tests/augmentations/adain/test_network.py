"""Networks that are read from their files in the step that needs them first."""

import pytest
import torch
from pytorch_lightning.plugins.precision import HalfPrecision

from robustlit.augmentations.adain import AdaIN
from tests.augmentations.adain.tiny_style import tiny_decoder, tiny_encoder

IMAGES = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def files(tmp_path):
    encoder = {key.removeprefix("layers."): value for key, value in tiny_encoder().state_dict().items()}
    paths = tmp_path / "vgg_normalised.pth", tmp_path / "decoder.pth"
    for state, path in zip((encoder, tiny_decoder().state_dict()), paths, strict=True):
        torch.save(state, path)
    return paths


def test_in_a_step_of_true_bfloat16_they_are_float32(files):
    operation = AdaIN(*files, p=1.0)
    with HalfPrecision("bf16-true").train_step_context():
        found = operation(IMAGES)
    assert torch.equal(found, AdaIN(*files, p=1.0)(IMAGES))


def test_no_global_generator_is_touched(files):
    operation = AdaIN(*files, p=1.0)
    before = torch.get_rng_state()
    operation(IMAGES)
    assert torch.equal(torch.get_rng_state(), before)
