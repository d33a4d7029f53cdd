import torch

from robustlit.corruptions.digital.contrast import contrast


def test_every_channel_is_drawn_to_its_own_mean():
    images = torch.rand(2, 3, 20, 31, generator=torch.Generator().manual_seed(0))
    wanted = images.double()
    means = wanted.mean((2, 3), keepdim=True)
    assert torch.allclose(contrast(images, 0.2), ((wanted - means) * 0.2 + means).float(), atol=2e-7)


def test_means_do_not_depend_on_the_order_of_summing():
    pixels = torch.randint(0, 256, (1, 1, 301, 401), generator=torch.Generator().manual_seed(0)).float() / 255
    order = torch.randperm(pixels.numel(), generator=torch.Generator().manual_seed(1))
    shuffled = pixels.flatten()[order].view_as(pixels)
    assert torch.equal(contrast(pixels, 0.1).flatten()[order], contrast(shuffled, 0.1).flatten())
