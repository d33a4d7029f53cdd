"""TransferTest: other sets whose classes are mapped, by hand-made pictures whose answers are known."""

import json

import pytest
import torch

from robustlit.data import ImageFolder
from robustlit.data.imagenet import IMAGENET_A, IMAGENET_O, IMAGENET_R, OBJECTNET, SIXTEEN, WNIDS
from robustlit.evaluation import TransferTest
from robustlit.evaluation.behaviour.imagenet_layouts import imagenet_mapping, layout_of
from robustlit.metrics import wilson
from tests.evaluation.other_sets import by_red, folder, picture, values
from tests.tiny import trainer


@pytest.fixture
def own(tmp_path):
    """The model's own data: classes cat, cow and dog, whose reds are 0, 1 and 2."""
    return folder(tmp_path / "own", {"cat": [0, 0], "cow": [1], "dog": [2, 2]})


def test_equal_names_are_mapped_and_the_rest_is_left_out_and_counted(own, tmp_path):
    folder(tmp_path / "other", {"dog": [2, 2, 0], "emu": [7, 7], "cat": [0]})
    test = TransferTest(tmp_path / "other")
    rows = test.run(by_red(3), own, trainer([]))
    assert values(rows)["accuracy"] == 0.75
    assert values(rows)["mean_class_accuracy"] == pytest.approx((1 + 2 / 3) / 2)
    accuracy = rows[0]
    assert (accuracy.test, accuracy.split, accuracy.n) == ("other", "other", 4)
    assert (accuracy.low, accuracy.high) == wilson(3, 4)
    assert accuracy.conditions["left_out_images"] == 2
    assert accuracy.conditions["classes"] == "2 of 3"
    assert accuracy.conditions["predictions"] == "among all 3 classes"
    assert {f"{row.test}/{row.metric}" for row in rows} == set(test.expects(own))
    slices = next(record for record in test.records if record.kind == "slices")
    assert (slices.data["name"], slices.data["n"]) == (["dog", "cat"], [3, 1])
    (mistake,) = [record for record in test.records if record.kind == "picture"]
    assert mistake.data["caption"].startswith("dog taken for cat (")
    assert mistake.data["image"].shape == (8, 8, 3)


@pytest.mark.parametrize("kind", ["csv", "json", "table", "numbers"])
def test_many_classes_become_one_by_any_table(kind, own, tmp_path):
    other = folder(tmp_path / "other", {"tabby": [0, 0], "siamese": [0, 1], "puppy": [2], "house": [2]})
    table = {"tabby": ["cat"], "siamese": ["cat"], "puppy": ["dog", "cow"]}
    mapping = table
    if kind == "csv":
        mapping = tmp_path / "classes.csv"
        lines = ["class,model_class", *(f"{name},{to}" for name, several in table.items() for to in several), "house,"]
        mapping.write_text("\n".join(lines))
    elif kind == "json":
        mapping = tmp_path / "classes.json"
        mapping.write_text(json.dumps({**table, "siamese": "cat", "house": None}))
    elif kind == "numbers":
        mapping = {"tabby": 0, "siamese": [0], "puppy": [1, 2]}
    rows = TransferTest(other, mapping, name="pets").run(by_red(3), own, trainer([]))
    assert rows[0].test == "pets"
    assert (rows[0].value, rows[0].n, rows[0].conditions["left_out_images"]) == (0.8, 5, 1)


def test_a_restricted_model_chooses_among_the_mapped_classes(own, tmp_path):
    folder(tmp_path / "other", {"cat": [0, 1], "dog": [2, 3]})
    free, bound = (
        TransferTest(tmp_path / "other", restrict=restrict).run(by_red(3), own, trainer([]))
        for restrict in (None, True)
    )
    assert (free[0].value, bound[0].value) == (0.75, 1.0)  # the red of 1 is a cow, or a cat among cats and dogs
    assert bound[0].conditions["predictions"] == "among 2 of 3 classes"


def test_the_figures_are_those_of_one_process_and_any_batch(own, tmp_path):
    other = folder(tmp_path / "other", {"cat": [0, 1, 0, 2, 0], "dog": [2, 2, 1]})
    whole = TransferTest(other).run(by_red(3), own, trainer([]))
    own.eval_batch_size = 100
    assert TransferTest(other).run(by_red(3), own, trainer([])) == whole
    some = TransferTest(other, images=3).run(by_red(3), own, trainer([]))
    assert some[0].n == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": "nowhere"}, "expected a folder or an .npz file at nowhere"),
        ({"mapping": "nowhere.csv"}, "expected a CSV or JSON file at nowhere.csv"),
        ({"mapping": {"cta": "cat"}}, "expected the name of a class of the data set in the given table, got 'cta'; "),
        ({"mapping": {"emu": "cta"}}, "expected the name of a class of the model in the given table, got 'cta'; "),
        ({"mapping": {"emu": None}}, "expected a class that is mapped in the given table, got none"),
        ({}, r"expected classes that the model has too, got emu where it has cat, cow, dog; try mapping=FILE.csv"),
        ({"layout": "imagenet_b"}, "try 'imagenet_"),
        ({"layout": "imagenet_a"}, "expected a model of ImageNet's classes, got one of 3 others"),
        ({"images": 0}, "expected at least one image"),
        ({"splits": ["tset"]}, "expected the name of a split, got 'tset'"),
    ],
)
def test_what_does_not_fit_is_one_line_before_any_work(settings, message, own, tmp_path):
    folder(tmp_path / "other", {"emu": [0]})
    with pytest.raises(ValueError, match=message) as error:
        TransferTest(**{"data": tmp_path / "other", **settings}).expects(own)
    assert "\n" not in str(error.value)


def test_numbers_are_names_too_where_the_model_is_not_of_imagenet(tmp_path):
    own = folder(tmp_path / "own", {str(number): [number] for number in range(5)})
    folder(tmp_path / "other", {"1": [1], "3": [3, 0]})
    rows = TransferTest(tmp_path / "other").run(by_red(5), own, trainer([]))
    assert (rows[0].value, rows[0].conditions["mapping"]) == (pytest.approx(2 / 3), "equal names")


def test_something_else_than_data_is_a_type_error(own):
    with pytest.raises(TypeError, match="expected a path or a data module, got int"):
        TransferTest(3).expects(own)


def test_facts_of_imagenet_fit_together():
    assert len({*WNIDS}) == 1000
    assert list(WNIDS) == sorted(WNIDS)
    for subset in (IMAGENET_A, IMAGENET_O, IMAGENET_R):
        assert len({*subset}) == 200
        assert {*subset} < {*WNIDS}
    assert len(OBJECTNET) == 113
    assert all(0 <= place < 1000 for places in OBJECTNET.values() for place in places)
    assert len(SIXTEEN) == 16
    assert sum(map(len, SIXTEEN.values())) == 207
    assert {*SIXTEEN["bear"]} == {WNIDS[place] for place in (294, 295, 296, 297)}
    assert [WNIDS.index(IMAGENET_R[place]) for place in (0, 1, 2, -1)] == [1, 2, 4, 988]  # of the authors' comment


def test_layouts_are_seen_from_their_folders_and_scored_as_published():
    assert [layout_of(names) for names in (IMAGENET_A, IMAGENET_O, IMAGENET_R, WNIDS, WNIDS[:7])] == [
        *("imagenet_a", "imagenet_o", "imagenet_r", "imagenet", "imagenet"),
    ]
    a = imagenet_mapping("imagenet_a", sorted(IMAGENET_A), WNIDS, 1000)
    assert a.kept == tuple(sorted(WNIDS.index(wnid) for wnid in IMAGENET_A))
    assert a.places[0] == (WNIDS.index(min(IMAGENET_A)),)
    v2 = imagenet_mapping("imagenet_v2", [str(place) for place in range(1000)], (), 1000)
    assert (v2.places[7], v2.kept) == ((7,), None)
    backwards = imagenet_mapping("imagenet_v2", ["0"], WNIDS[::-1], 1000)
    assert backwards.places == ((999,),)  # a model in another order is known by its identifiers
    objects = imagenet_mapping("objectnet", ["alarm_clock", "air_freshener"], (), 1000)
    assert objects.places == ((409, 530), ())
    assert objects.left_out == ("air_freshener",)


def test_imagenet_r_restricts_a_model_of_a_thousand_classes(tmp_path):
    """Folders of two of the 200 classes; the model says a class that ImageNet-R lacks, and is held to the nearest."""
    places = [WNIDS.index(wnid) for wnid in IMAGENET_R[:2]]  # 1 and 2
    own = folder(tmp_path / "own", {WNIDS[0]: [0]}, class_names="imagenet")
    assert own.num_classes == 1000
    folder(tmp_path / "r", {IMAGENET_R[0]: [places[0], 0], IMAGENET_R[1]: [places[1]]})
    free = TransferTest(tmp_path / "r").run(by_red(1000), own, trainer([]))
    held = TransferTest(tmp_path / "r", layout="imagenet_r").run(by_red(1000), own, trainer([]))
    assert (free[0].value, held[0].value) == (pytest.approx(2 / 3), 1.0)
    assert held[0].conditions["predictions"] == "among 200 of 1,000 classes"


def test_imagenet_o_is_told_from_the_own_images_of_its_classes(tmp_path):
    first, second = IMAGENET_O[:2]
    own = folder(tmp_path / "own", {WNIDS[0]: [0], first: [1], second: [WNIDS.index(second)]}, class_names="imagenet")
    for number in range(3):  # paler, so the model is less sure
        picture(tmp_path / "o" / first / f"{number}.png", 1, green=0)
    test = TransferTest(tmp_path / "o", layout="imagenet_o")
    rows = test.run(by_red(1000), own, trainer([]))
    assert values(rows) == {"aupr": 1.0, "auroc": 1.0, "fpr95": 0.0}
    assert rows[0].n == 5
    assert rows[0].conditions["known"] == "2 images of all"  # the tench is none of the 200
    assert {f"{row.test}/{row.metric}" for row in rows} == set(test.expects(own))


def test_a_data_module_keeps_its_transforms_and_splits(own, tmp_path):
    for split in ("train", "test"):
        folder(tmp_path / "other" / split, {"cat": [0, 1]})
    other = ImageFolder(tmp_path / "other", num_workers=0)
    (accuracy, *_) = TransferTest(other, splits=["test"]).run(by_red(3), own, trainer([]))
    assert (accuracy.test, accuracy.value) == ("ImageFolder", 0.5)
    assert accuracy.conditions["transforms"] == "its own"


def test_the_module_and_the_data_are_left_as_they_were(own, tmp_path):
    folder(tmp_path / "other", {"cat": [0]})
    module, splits, state = by_red(3).train(), dict(own.test_sets), torch.get_rng_state()
    TransferTest(tmp_path / "other").run(module, own, trainer([]))
    assert module.training
    assert own.test_sets == splits
    assert torch.equal(torch.get_rng_state(), state)
