import torch

from robustlit.corruptions.bar.inverse_sparkles import inverse_sparkles


def test_light_falls_with_the_power_of_the_distance() -> None:
    changed = inverse_sparkles(
        torch.zeros(1, 1, 32, 32), torch.tensor([[16.0, 16.0]]), torch.tensor([50]), torch.zeros(1, 199), 0.5
    )
    # rays of 8 pixels: straight down at 12 pixels is half a turn of 50 rays, so exactly on a ray
    torch.testing.assert_close(1 - changed[0, 0, 28, 16], torch.tensor(0.75 * 8 / 12), atol=1e-3, rtol=0)
    # inside the rays the image stays but for the dimming between them
    assert (changed[0, 0, 14:19, 14:19] <= 0.25).all()
    assert changed[0, 0, 0, 0] > 0.6


def test_white_stays_white() -> None:
    white = torch.ones(1, 3, 20, 24)
    changed = inverse_sparkles(white, torch.tensor([[9.0, 8.0]]), torch.tensor([70]), torch.randn(1, 199), 0.3)
    assert torch.equal(changed, white)
