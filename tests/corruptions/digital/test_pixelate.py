import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.corruptions.digital.pixelate import Pixelate, pixelate

SCALES = sorted({level[0] for table in Pixelate.levels.values() for level in table})


@pytest.mark.parametrize("scale", [*SCALES, 0.27, 0.55])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (19, 17), (32, 32), (33, 47), (97, 60), (224, 224)])
def test_equals_pillow_bit_for_bit(height, width, scale):
    pixels = np.random.RandomState(height).randint(0, 256, (height, width, 3)).astype(np.uint8)
    small = Image.fromarray(pixels).resize((int(width * scale), int(height * scale)), Image.Resampling.BOX)
    wanted = np.array(small.resize((width, height), Image.Resampling.BOX))
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    assert np.array_equal((pixelate(images, scale)[0] * 255).round().byte().permute(1, 2, 0).numpy(), wanted)
