import pytest

from robustlit.attacks import FGSM, PGD
from robustlit.attacks.lengths import as_length
from robustlit.callbacks import AdversarialEvaluation
from robustlit.evaluation import AdversarialTest, AutoAttackTest


@pytest.mark.parametrize(
    ("text", "value"), [("8/255", 8 / 255), (" 8 / 255 ", 8 / 255), ("0.1", 0.1), (1, 1.0), (0.5, 0.5)]
)
def test_numbers_and_fractions(text, value):
    assert as_length("eps", text) == value


def test_attacks_and_tests_understand_what_configurations_say():
    assert PGD(eps="8/255", step_size="2/255") == PGD(eps=8 / 255, step_size=2 / 255)
    assert FGSM(eps="4/255", step_size="0.01") == FGSM(eps=4 / 255, step_size=0.01)
    assert AdversarialTest(eps=["2/255", 0.1]).eps == (2 / 255, 0.1)
    assert AutoAttackTest(eps="8/255").eps == 8 / 255
    assert AdversarialTest(eps="8/255").eps == AdversarialTest(eps=8 / 255).eps == (8 / 255,)
    assert AdversarialEvaluation(eps_curve="8/255").eps_curve == (8 / 255,)


@pytest.mark.parametrize("text", ["eight", "8/", "8/0", "8/255/2", "nan"])
def test_other_texts_are_told(text):
    with pytest.raises(ValueError, match=r"expected eps a number, got .*; try eps=8/255"):
        PGD(eps=text)


@pytest.mark.parametrize("value", [None, True, [0.1]])
def test_what_is_no_number_is_told(value):
    with pytest.raises(TypeError, match="expected eps a number, got"):
        PGD(eps=value)
    with pytest.raises(ValueError, match="8/255"):
        PGD(eps="8")
