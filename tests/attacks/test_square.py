"""Square attack: queries only, monotone, squares of the published sizes."""

import pytest
import torch

from robustlit.attacks import Square
from robustlit.attacks.square import square_side
from tests.attacks.networks import Network, batch


def test_asks_without_gradients_and_no_more_than_it_may() -> None:
    images, _ = batch(8)
    model, sizes = Network().eval(), []
    targets = model(images).argmax(1)

    def counting(x):
        assert not torch.is_grad_enabled() and not x.requires_grad
        sizes.append(len(x))
        with torch.no_grad():
            return model(x).numpy()  # not even a graph could pass

    changed = Square(eps=1e-4, queries=25)(lambda x: torch.from_numpy(counting(x)), images, targets)
    assert len(sizes) == 25 and sizes[0] == 8
    assert ((changed - images).abs() <= 1e-4).all()


def test_the_margin_falls_query_by_query() -> None:
    images, _ = batch(8)
    model = Network().eval()
    targets = model(images).argmax(1)

    def margins(queries):
        logits = model(Square(eps=0.01, queries=queries)(model, images, targets))
        own = logits.gather(1, targets[:, None])[:, 0]
        return own - logits.scatter(1, targets[:, None], -torch.inf).amax(1)

    every = [margins(1)]
    assert (every[0] > 0).all()
    every += [margins(count) for count in (40, 400)]
    assert (every[1] < every[0]).any() and every[2].mean() < every[1].mean() + 1e-6


def test_samples_already_won_stay_as_they_are() -> None:
    images, _ = batch(8)
    model, sizes = Network().eval(), []
    targets = (model(images).argmax(1) + 1) % 5
    changed = Square(queries=10)(lambda x: sizes.append(len(x)) or model(x), images, targets)
    assert sizes == [8] and torch.equal(changed, images)


def test_starts_from_stripes_and_adds_squares_of_one_sign_a_channel() -> None:
    images, targets = torch.full((3, 3, 16, 20), 0.5), torch.zeros(3, dtype=torch.int64)
    seen = []

    def rising(x):  # every query is better than the one before, and none succeeds
        seen.append(x.clone())
        return torch.stack([torch.full((len(x),), 1000.0), torch.full((len(x),), float(len(seen)))], dim=1)

    Square(eps=0.1, queries=6)(rising, images, targets)
    stripes = seen[1] - images
    torch.testing.assert_close(stripes.abs(), torch.full_like(stripes, 0.1))
    assert torch.equal(stripes, stripes[:, :, :1].expand_as(stripes))
    assert len(torch.unique(stripes[:, 0, 0], dim=0)) == 3
    for query in range(2, 6):
        touched = seen[query] != seen[query - 1]
        side = square_side(query - 1, 6, 0.8, 16, 20)
        for image in range(3):
            for channel in range(3):
                rows, columns = touched[image, channel].nonzero(as_tuple=True)
                if len(rows):
                    assert rows.max() - rows.min() < side and columns.max() - columns.min() < side
                    assert len(seen[query][image, channel][touched[image, channel]].unique()) == 1


def test_sides_follow_the_published_halvings() -> None:
    # of 10,000 queries the share of 0.8 is halved after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000
    for query, halvings in ((1, 0), (10, 0), (11, 1), (51, 2), (501, 4), (1001, 5), (4001, 7), (8001, 9)):
        assert square_side(query, 10_000, 0.8, 224, 224) == max(1, round((0.8 / 2**halvings * 224 * 224) ** 0.5))
    assert square_side(100, 1000, 0.8, 224, 224) == square_side(1000, 10_000, 0.8, 224, 224)


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="expected queries of at least 1, got 0"):
        Square(queries=0)
    with pytest.raises(ValueError, match=r"expected p in \(0, 1\], got 2"):
        Square(p=2)
