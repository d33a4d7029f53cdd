import pytest
import torch
from torch.testing import assert_close

from robustlit.explanations import ClassTarget, Goal, PixelTarget, RegionTarget
from robustlit.explanations.target import resolve

LOGITS = torch.tensor([[1.0, 5.0, 2.0], [7.0, 0.0, 3.0]])


def dense() -> torch.Tensor:
    """Two images of 2×3 pixels and three classes; predictions [[0, 1, 1], [1, 2, 0]] and all 2."""
    predicted = torch.tensor([[[0, 1, 1], [1, 2, 0]], [[2, 2, 2], [2, 2, 2]]])
    return torch.nn.functional.one_hot(predicted, 3).permute(0, 3, 1, 2).float() * 4 + 1


@pytest.mark.parametrize(
    ("target", "classes"),
    [(None, [1, 0]), (2, [2, 2]), ([0, 2], [0, 2]), (torch.tensor([1, 1]), [1, 1]), (torch.tensor(2), [2, 2])],
)
def test_classes(target: object, classes: list[int]) -> None:
    goal = resolve(target, LOGITS)
    assert goal.classes.tolist() == classes
    assert goal.score(LOGITS).tolist() == [LOGITS[i, c] for i, c in enumerate(classes)]
    assert_close(goal.probability(LOGITS), LOGITS.softmax(1)[[0, 1], classes])
    assert_close(goal.probability(LOGITS, independent=True), LOGITS.sigmoid()[[0, 1], classes])


def test_rows_of_other_images() -> None:
    goal = resolve([0, 2], LOGITS)
    assert goal.score(LOGITS[[1, 1, 0]], torch.tensor([1, 0, 1])).tolist() == [3.0, 7.0, 2.0]


def test_a_single_logit() -> None:
    logits = torch.tensor([[2.0], [-3.0]])
    assert resolve(None, logits).classes.tolist() == [1, 0]
    assert resolve(None, logits).score(logits).tolist() == [2.0, 3.0]
    assert_close(resolve(1, logits).probability(logits), logits[:, 0].sigmoid())


def test_functions() -> None:
    assert resolve(lambda logits: logits.sum(1), LOGITS).score(LOGITS).tolist() == [8.0, 10.0]
    with pytest.raises(ValueError, match="expected 2 scores of the target function"):
        resolve(lambda logits: logits.sum(), LOGITS).score(LOGITS)


def test_the_goal_of_an_earlier_result() -> None:
    goal = resolve(None, dense())
    again = resolve(goal, dense() * 2)
    assert torch.equal(again.classes, goal.classes)
    assert torch.equal(again.region, goal.region)
    with pytest.raises(ValueError, match="expected a goal whose region has shape"):
        resolve(goal, LOGITS)
    with pytest.raises(ValueError, match="expected one target for each of 1 images"):
        resolve(Goal(torch.tensor([0, 1])), LOGITS[:1])


def test_a_segmentation_is_scored_by_the_region_of_its_commonest_class() -> None:
    goal = resolve(None, dense())
    assert goal.classes.tolist() == [1, 2]
    assert goal.region[0].tolist() == [[False, True, True], [True, False, False]]
    assert goal.region[1].all()
    assert goal.score(dense()).tolist() == [15.0, 30.0]


def test_a_class_is_scored_everywhere() -> None:
    assert ClassTarget(1).goal(dense()).score(dense()).tolist() == [3 * 5 + 3, 6.0]
    assert ClassTarget().goal(dense()).classes.tolist() == [1, 2]


def test_a_true_region() -> None:
    mask = torch.tensor([[[0, 0, 255], [255, 255, 255]], [[1, 1, 1], [2, 2, 255]]])
    goal = RegionTarget(mask=mask, ignore_index=255).goal(dense())
    assert goal.classes.tolist() == [0, 1]
    assert goal.region.flatten(1).sum(1).tolist() == [2, 3]
    assert goal.score(dense()).tolist() == [6.0, 3.0]
    assert torch.equal(RegionTarget(mask=mask[:, None]).goal(dense()).region, goal.region)


def test_a_pixel() -> None:
    goal = PixelTarget([0, 1], 1).goal(dense())
    assert goal.classes.tolist() == [1, 2]
    assert goal.score(dense()).tolist() == [5.0, 5.0]
    assert PixelTarget(0, 0, 2).goal(dense()).score(dense()).tolist() == [1.0, 5.0]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (3, "expected a target from 0 to 2, got 3 for image 0; try"),
        ([0, -1], "expected a target from 0 to 2, got -1 for image 1; try"),
        ([0, 1, 2], "expected one target for each of 2 images"),
        (torch.tensor([0.0, 1.0]), "expected one target for each of 2 images, or one for all, as integers"),
        (RegionTarget(), "expected logits N×K×H×W of a segmentation for a region"),
        (PixelTarget(0, 0), "expected logits N×K×H×W of a segmentation for a pixel"),
    ],
)
def test_bad_targets_of_a_classifier(target: object, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        resolve(target, LOGITS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (RegionTarget(0), "expected class 0 in the predicted region of image 1, got no pixel of it; try ClassTarget"),
        (RegionTarget(2, torch.zeros(2, 2, 3)), "expected class 2 in the true region of image 0"),
        (RegionTarget(mask=torch.full((2, 2, 3), 255), ignore_index=255), "true region of image 0"),
        (RegionTarget(0, torch.zeros(2, 3, 3)), r"expected a mask of shape \(2, 2, 3\) like the logits"),
        (PixelTarget(2, 0), "expected a row from 0 to 1, got 2 for image 0"),
        (PixelTarget(0, [0, 3]), "expected a column from 0 to 2, got 3 for image 1"),
        ([1], "expected one target for each of 2 images"),
    ],
)
def test_bad_targets_of_a_segmentation(target: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(target, dense())


def test_nothing_that_names_a_target() -> None:
    with pytest.raises(TypeError, match="expected a target as a class"):
        resolve("cat", LOGITS)
    with pytest.raises(ValueError, match="expected logits N×K or N×K×H×W"):
        resolve(None, torch.zeros(3, 4, 5))


def test_a_region_of_another_class_than_the_background() -> None:
    logits = torch.zeros(2, 3, 4, 4)
    logits[:, 0] = 1  # background everywhere …
    logits[0, 2, :1] = 5  # … but for a row of class 2 in the first image
    goal = RegionTarget(without=(0,)).goal(logits)
    assert goal.classes.tolist() == [2, 0]
    assert goal.region.flatten(1).sum(1).tolist() == [4, 16]
    assert RegionTarget().goal(logits).classes.tolist() == [0, 0]
