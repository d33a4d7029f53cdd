"""Which attacks AdversarialEvaluation runs, in which precision and time, and settings that it refuses."""

from typing import ClassVar

import pytest
import pytorch_lightning as pl
import torch
from adversarial_evaluation_helpers import FEW, Switchable, data, evaluated
from callbacks_helpers import Foreign, fit

from robustlit.attacks import FGSM, PGD, Square
from robustlit.callbacks import AdversarialEvaluation


def test_without_a_choice_the_attacks_are_at_the_eps_of_training(tmp_path):
    for training, shared in ((Switchable(), {"eps": 0.05}), (pl.Callback(), {})):
        callback = AdversarialEvaluation(images=8, pictures=False, alarms=False)
        fit(tmp_path, [callback, training], epochs=1, data=data(), validation=data())
        assert callback.attacks == {"fgsm": FGSM(**shared), "pgd": PGD(steps=10, **shared)}


def test_attacks_are_in_float32_where_the_trainer_is_not(tmp_path):
    class Noting(Foreign):
        types: ClassVar = set()

        def forward(self, x):
            logits = super().forward(x)
            if not self.training and not self.trainer.sanity_checking:
                self.types.add((logits.dtype, torch.is_autocast_enabled("cpu")))
            return logits

    for precision, expected in (("32", {torch.float32, torch.bfloat16}), ("trainer", {torch.bfloat16})):
        Noting.types = set()
        callback = AdversarialEvaluation(FEW, images=4, precision=precision, alarms=False)
        fit(tmp_path, [callback], module=Noting(), epochs=1, data=data(), validation=data(), precision="bf16-mixed")
        assert {dtype for dtype, _ in Noting.types} == expected  # validation's own forwards are in bfloat16


def test_a_cap_on_time_leaves_out_what_the_alarms_add_and_says_so(tmp_path):
    with pytest.warns(UserWarning, match="did not fit into max_seconds"):
        found, _ = evaluated(tmp_path, AdversarialEvaluation(FEW, images=8, eps_curve=(0.02,), max_seconds=1e-6))
    assert "robust/adversarial/pgd" in found
    assert "robust/eps_curve/0.02" not in found
    assert "alarm/black_box_gain" not in found
    assert "alarm/fgsm_pgd_gap" in found


def test_names_and_mappings_go_where_attacks_go(tmp_path):
    assert list(AdversarialEvaluation(["fgsm", "pgd"]).attacks) == ["fgsm", "pgd"]
    callback = AdversarialEvaluation({"weak": FGSM(eps=0.01), "strong": PGD(eps=0.1, steps=2)}, images=8)
    found, _ = evaluated(tmp_path, callback)
    assert {"robust/adversarial/weak", "robust/adversarial/strong"} <= set(found)
    assert "alarm/fgsm_pgd_gap" in found  # an FGSM of the strong one's eps is added


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attacks": [Square()]}, "alarms=False"),
        ({"attacks": []}, "at least one attack"),
        ({"attacks": ["pdg"]}, "try 'pgd'"),
        ({"attacks": {"clean": PGD()}}, "other names"),
        ({"attacks": [PGD(), PGD()]}, "differ"),
        ({"images": 0}, "at least one image"),
        ({"every_n_epochs": 0}, "every_n_epochs"),
        ({"max_seconds": 0}, "max_seconds"),
        ({"precision": "16"}, "precision"),
        ({"on_alarm": "halt"}, "on_alarm"),
        ({"on_alarm": "stop", "alarms": False}, "alarms=True"),
    ],
)
def test_bad_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        AdversarialEvaluation(**settings)
