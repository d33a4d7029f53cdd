import numpy as np
import torch

from robustlit.augmentations.adain import StyleStatistics, adaptive_instance_norm, feature_statistics


def test_statistics_are_numpys():
    features = torch.randn(3, 5, 7, 6)
    found = feature_statistics(features)
    flat = features.numpy().reshape(3, 5, -1).astype(np.float64)
    np.testing.assert_allclose(found.mean.numpy(), flat.mean(-1), atol=1e-6)
    np.testing.assert_allclose(found.std.numpy(), np.sqrt(flat.var(-1, ddof=1) + 1e-5), atol=1e-6)


def test_statistics_of_bfloat16_are_summed_in_float32():
    features = torch.full((1, 1, 64, 64), 1.0).bfloat16()
    features[..., :32] = 3.0
    assert feature_statistics(features).mean.dtype == torch.float32
    assert feature_statistics(features).mean.item() == 2.0


def test_normalisation_follows_the_papers_formula():
    features, other = torch.randn(2, 4, 6, 5) * 3 + 1, torch.randn(2, 4, 9, 8)
    x, y = features.numpy().astype(np.float64), other.numpy().astype(np.float64)

    def moments(array):
        return array.mean((2, 3), keepdims=True), np.sqrt(array.var((2, 3), ddof=1, keepdims=True) + 1e-5)

    (mean_x, std_x), (mean_y, std_y) = moments(x), moments(y)
    expected = (x - mean_x) / std_x * std_y + mean_y
    style = feature_statistics(other)
    np.testing.assert_allclose(adaptive_instance_norm(features, style).numpy(), expected, atol=1e-5)
    share = np.array([0.25, 0.75])[:, None, None, None]
    blended = adaptive_instance_norm(features, style, torch.tensor([0.25, 0.75])).numpy()
    np.testing.assert_allclose(blended, share * expected + (1 - share) * x, atol=1e-5)


def test_without_style_nothing_changes():
    features = torch.randn(2, 3, 4, 4)
    style = StyleStatistics(torch.randn(2, 3), torch.rand(2, 3))
    assert torch.equal(adaptive_instance_norm(features, style, 0.0), features)
