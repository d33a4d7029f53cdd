import torch

from robustlit.corruptions import corrupt


def test_pixels_stay_or_go_black_in_all_channels() -> None:
    images = torch.randint(1, 256, (4, 3, 32, 40), dtype=torch.uint8)
    changed = corrupt(images, "blue_noise_sample", 4)
    black = (changed == 0).all(1, keepdim=True)
    assert torch.equal(changed, images * ~black)
    assert 0 < black.float().mean() < 1


def test_black_pixels_lie_more_evenly_than_by_chance() -> None:
    black = (corrupt(torch.ones(16, 1, 64, 64), "blue_noise_sample", 5, preset="imagenet") == 0).float()
    share = black.mean()
    spread = torch.nn.functional.avg_pool2d(black, 8).var()
    # independent pixels would give share (1 - share) / 64, within 5 % over 1,024 blocks
    assert spread < 0.75 * share * (1 - share) / 64
