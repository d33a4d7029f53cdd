import pytest
import torch
from torch.testing import assert_close

from robustlit.explanations import cosine, rank_correlation, top_overlap


def test_cosine_is_torchs() -> None:
    one, two = torch.randn(2, 3, 4, 5)
    assert_close(cosine(one, two), torch.cosine_similarity(one.flatten(1), two.flatten(1)))
    assert cosine(one, 0 * two).isnan().all()


def test_rank_correlation_is_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    one, two = torch.randn(2, 3, 6, 7)
    one[0] = (one[0] * 2).round()  # ties
    expected = [stats.spearmanr(a.flatten(), b.flatten()).statistic for a, b in zip(one, two, strict=True)]
    assert rank_correlation(one, two).tolist() == pytest.approx(expected, abs=1e-6)
    assert rank_correlation(one, torch.ones_like(one)).isnan().all()
    assert_close(rank_correlation(one, -one), -torch.ones(3))


def test_overlap_of_the_largest() -> None:
    one = torch.arange(20.0).view(1, 4, 5)
    two = one.clone()
    two[0, 3, 4] = -1  # 18 and 19 against 18 and 17
    assert top_overlap(one, two, 0.1).tolist() == pytest.approx([1 / 3])
    assert top_overlap(one, one, 0.1).tolist() == [1.0]
    assert top_overlap(one, -one, 0.25).tolist() == [0.0]


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="expected two batches of maps"):
        cosine(torch.zeros(1, 2, 2), torch.zeros(1, 2, 3))
    with pytest.raises(ValueError, match=r"expected a share in \(0, 1\], got 0"):
        top_overlap(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), 0)
