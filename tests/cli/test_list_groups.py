"""What is typed of a group of which any number of options may be chosen: no word is dropped in silence."""

import pytest
import yaml

from robustlit.cli.config import config_dir
from robustlit.cli.list_groups import LIST_GROUPS, joined
from robustlit.cli.main import main
from robustlit.cli.sweep_plan import make_plan


def test_the_groups_are_those_that_the_configurations_choose_lists_of():
    found = set()
    for name in ("train", "evaluate", "evaluate_model"):
        defaults = yaml.safe_load((config_dir() / f"{name}.yaml").read_text())["defaults"]
        found |= {key for entry in defaults if isinstance(entry, dict) for key in entry if isinstance(entry[key], list)}
    assert found == set(LIST_GROUPS)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["callbacks=[default]", "+callbacks=ema"], ["callbacks=[default,ema]"]),
        (["+callbacks=ema", "seed=1", "callbacks=default"], ["seed=1", "callbacks=[default,ema]"]),
        (["+callbacks=[ema, confusion]", "+callbacks=ema"], ["+callbacks=[ema,confusion]"]),
        (["callbacks=[a]", "callbacks=[]", "+callbacks=ema"], ["callbacks=[ema]"]),
        (["callbacks=[a]", "callbacks=[b]"], ["callbacks=[a]", "callbacks=[b]"]),
        (["-m", "augmentation=none,augmix", "+callbacks=ema"], ["-m", "augmentation=none,augmix", "+callbacks=ema"]),
        (["model=unet", "+model=resnet18"], ["model=unet", "+model=resnet18"]),
    ],
)
def test_words_about_one_group_become_one(words, expected):
    assert joined(words) == expected


@pytest.mark.parametrize("first", ["callbacks=[default]", "+callbacks=explanation_panels"])
def test_every_callback_that_is_asked_for_is_there(first, capsys):
    assert main(["train", first, "+callbacks=embeddings", "callbacks.embeddings.count=3", "--cfg", "job"]) == 0
    found = yaml.safe_load(capsys.readouterr().out)["callbacks"]
    assert found["embeddings"]["count"] == 3
    assert {"step_seed", "last_checkpoint"} <= set(found)


def test_a_sweep_has_them_too():
    plan = make_plan(["callbacks=[default]", "+callbacks=embeddings", "seed=1,2"])
    assert "embeddings" in plan.cfg.callbacks
    assert [job[0] for job in plan.jobs] == ["callbacks=[default,embeddings]"] * 2


def test_a_sweep_over_lists_that_are_to_grow_is_one_line(capsys):
    assert main(["train", "-m", "augmentation=none,augmix", "+augmentation=style_transfer"]) == 2
    expected = (
        "robustlit: cannot put 'augmentation=none,augmix' and '+augmentation=style_transfer' together; try one list"
    )
    assert capsys.readouterr().err.startswith(expected)


def test_the_nearest_key_is_one_of_the_options_that_were_added(capsys):
    assert main(["train", "+callbacks=explanation_panels", "callbacks.explanation_panels.coutn=2"]) == 2
    assert "did you mean 'callbacks.explanation_panels.count'?" in capsys.readouterr().err
