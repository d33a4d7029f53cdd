"""The shapes data set says the truth about its pictures, and says the same everywhere."""

import pickle

import numpy as np
import pytest

from robustlit.data.shapes import BACKGROUND_NAMES, SHAPE_NAMES, TEXTURE_NAMES, ShapesDataset


@pytest.fixture
def shapes(tmp_path):
    def build(split="train", count=20, **options):
        return ShapesDataset(split, count, **{"image_size": 32, "cache_dir": tmp_path, **options})

    return build


def agreement(data, cue):
    return float(np.mean([getattr(data.content(i), cue) == data.content(i).shape for i in range(4000)]))


def test_there_are_ten_of_each():
    assert len(set(SHAPE_NAMES)) == len(set(TEXTURE_NAMES)) == len(set(BACKGROUND_NAMES)) == 10
    assert not set(SHAPE_NAMES) & set(TEXTURE_NAMES) & set(BACKGROUND_NAMES)


def test_a_picture_depends_on_its_index_only(shapes):
    few, many = shapes("val", 3), shapes("val", 20)
    backwards = [many[i]["image"] for i in reversed(range(3))][::-1]
    for i in range(3):
        assert (few[i]["image"] == backwards[i]).all()


def test_pictures_differ_between_samples_splits_and_seeds(shapes):
    first = shapes()[0]["image"]
    for other in (shapes()[10], shapes("val")[0], shapes(seed=1)[0], shapes("iid")[0]):
        assert (first != other["image"]).mean() > 0.5


@pytest.mark.parametrize(("correlation", "rate"), [(0.0, 0.1), (0.1, 0.1), (0.5, 0.5), (0.95, 0.95), (1.0, 1.0)])
@pytest.mark.parametrize("split", ["train", "val", "iid"])
def test_cues_agree_as_often_as_asked(shapes, split, correlation, rate):
    margin = 4 * np.sqrt(rate * (1 - rate) / 4000) + 1e-9  # four standard errors of 4,000 draws
    assert agreement(shapes(split, 1, texture_correlation=correlation), "texture") == pytest.approx(rate, abs=margin)
    assert agreement(shapes(split, 1, background_correlation=correlation), "background") == pytest.approx(
        rate, abs=margin
    )


def test_uncorrelated_cues_are_independent_and_uniform(shapes):
    data = shapes("uncorrelated", 1, texture_correlation=1.0, background_correlation=1.0)
    contents = [data.content(i) for i in range(10_000)]
    for cue in ("texture", "background"):
        table = np.zeros((10, 10))
        for content in contents:
            table[content.shape, getattr(content, cue)] += 1
        assert ((table - 100) ** 2 / 100).sum() < 164  # chi-squared, 99 degrees of freedom: 164 at p = 0.00004


def test_in_cue_conflict_the_texture_is_never_the_shapes(shapes):
    data = shapes("cue_conflict", 1, texture_correlation=1.0)
    assert agreement(data, "texture") == 0
    assert agreement(data, "background") == pytest.approx(0.1, abs=0.02)
    assert {data.content(10 * i).texture for i in range(200)} == set(range(1, 10))


def test_classes_are_balanced(shapes):
    assert np.bincount([shapes("train", 1).content(i).shape for i in range(500)]).tolist() == [50] * 10


def test_tests_show_the_same_scenes(shapes):
    iid, conflict = (shapes(split, 10, texture_correlation=1.0) for split in ("iid", "cue_conflict"))
    for i in range(10):
        assert iid[i]["target"] == conflict[i]["target"]
        assert (iid[i]["mask"] == conflict[i]["mask"]).all()
        assert (iid[i]["image"] != conflict[i]["image"])[iid[i]["mask"] == 1].mean() > 0.2


def test_a_correlation_changes_texture_and_nothing_else(shapes):
    strong, weak = shapes(texture_correlation=1.0), shapes(texture_correlation=0.1)
    for i in range(20):
        a, b = strong.content(i), weak.content(i)
        assert (a.shape, a.background) == (b.shape, b.background)
        inside = strong[i]["mask"] == 1
        far = ~_grown(inside)
        assert (strong[i]["image"] == weak[i]["image"])[far].all()


def test_items_carry_the_truth(shapes):
    item = shapes()[13]
    assert set(item) == {"image", "target", "mask", "texture", "background"}
    assert all(type(item[name]) is int for name in ("target", "texture", "background"))
    assert item["image"].shape == (32, 32, 3)
    assert item["image"].dtype == np.uint8
    assert item["target"] == 3


def test_a_mask_for_segmentation_is_the_silhouette_of_the_class(shapes):
    labels, masks = shapes(), shapes(task="segmentation")
    for i in range(20):
        assert (masks[i]["target"] == labels[i]["mask"] * (labels[i]["target"] + 1)).all()
        assert masks[i]["shape"] == labels[i]["target"]


def test_a_changed_item_does_not_reach_the_cache(shapes):
    data = shapes()
    data[0]["image"][:] = 0
    assert data[0]["image"].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "trian"}, "expected the name of a split of the shapes data set, got 'trian'; try 'train'"),
        ({"task": "segment"}, "got 'segment'; try 'segmentation'"),
        ({"count": 0}, "expected count as an integer from 1"),
        ({"image_size": 8}, "expected image_size as an integer from 16 to 1024, got 8"),
        ({"image_size": 32.0}, "expected image_size as an integer"),
        ({"texture_correlation": 95}, "expected texture_correlation as a share from 0 to 1, got 95"),
        ({"background_correlation": -0.1}, "expected background_correlation as a share"),
    ],
)
def test_a_wrong_option_is_one_clear_line(shapes, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        shapes(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("index", [-1, 20])
def test_there_are_no_items_beyond_the_ends(shapes, index):
    with pytest.raises(IndexError, match="from 0 to 19"):
        shapes()[index]


def test_pickling_takes_the_options_along_but_not_the_pictures(shapes):
    data = shapes()
    data_again = pickle.loads(pickle.dumps(data))
    assert len(pickle.dumps(data)) < 2000
    assert (data_again[7]["image"] == data[7]["image"]).all()


def _grown(mask):
    """The mask and every pixel within two pixels of it, by shifting it in all directions."""
    padded = np.pad(mask, 2)
    height, width = mask.shape
    shifts = [padded[y : y + height, x : x + width] for y in range(5) for x in range(5)]
    return np.any(shifts, axis=0)
