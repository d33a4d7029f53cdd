"""The groups attack and method: a method brings an attack, which may be replaced, and experiments fit together."""

from types import SimpleNamespace

import pytest
from hydra.utils import instantiate

from robustlit.attacks import PGD, BoundedAttack
from robustlit.callbacks.adversarial_names import ATTACKS, METHODS
from robustlit.core import Adapter
from robustlit.methods import AWP
from tests.test_configs import composed

EXPERIMENTS = [
    "cifar10_pgd",
    "cifar10_trades",
    "cifar10_trades_awp",
    "cifar10_fgsm_rs",
    "fashion_mnist_fgsm_rs",
    "camvid_segpgd",
]


def built(*overrides: str):
    return instantiate(composed(*overrides).callbacks.adversarial_training, _convert_="all")


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attacks_file_is_what_its_name_means(name) -> None:
    attack, meant = instantiate(composed(f"attack={name}").attack), ATTACKS[name]()
    assert type(attack) is type(meant) and attack.eps == meant.eps
    assert getattr(attack, "random_start", None) == getattr(meant, "random_start", None)
    assert getattr(attack, "step_size", None) is None


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_methods_file_is_what_its_name_means(name) -> None:
    assert built(f"method={name}").method == METHODS[name]()


def test_a_method_brings_an_attack_which_may_be_replaced() -> None:
    assert built("method=at").attack == PGD()
    assert built("method=at", "attack=fgsm_rs", "attack.eps=0.1").attack.eps == 0.1
    assert built("method=at", "attack.eps=4/255", "attack.step_size=1/255").attack == PGD(
        eps=4 / 255, step_size=1 / 255
    )
    callback = built("method=trades_awp", "attack.steps=3")
    assert callback.weight_perturbation == AWP(gamma=0.005, warmup_epochs=10)
    assert callback.attack == PGD(steps=3, loss="kl", random_start="small")
    assert "adversarial_training" not in composed("attack=pgd").callbacks


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_trains_evaluates_and_selects_at_one_eps(name) -> None:
    callbacks = composed(f"experiment={name}").callbacks
    training = instantiate(callbacks.adversarial_training, _convert_="all")
    evaluation = instantiate(callbacks.adversarial_evaluation, _convert_="all")
    task = "segmentation" if name.startswith("camvid") else "classification"
    evaluation.setup(
        SimpleNamespace(callbacks=[training, evaluation]), SimpleNamespace(adapter=Adapter(task=task)), "fit"
    )
    attacks = {key: value for key, value in evaluation.attacks.items() if isinstance(value, BoundedAttack)}
    assert attacks and all(attack.eps == training.attack.eps for attack in attacks.values())
    assert callbacks.best_robust.monitor.removeprefix("robust/adversarial/") in attacks
