"""What AdversarialEvaluation does where an alarm fires: a line, a card, an end, another attack."""

import pytest
import torch
from adversarial_evaluation_helpers import FEW, Switchable, data, reloaded
from callbacks_helpers import Foreign, board, fit
from torch.utils.data import DataLoader, TensorDataset

from robustlit.attacks import FGSM, PGD
from robustlit.callbacks import AdversarialEvaluation


class Certain(Foreign):
    """As after catastrophic overfitting: a step of 0.1, five waves long, changes nothing, and small steps win."""

    def forward(self, x):
        distance = (x - 0.5).flatten(1).mean(1, keepdim=True)
        kink = torch.sin(2 * torch.pi * distance / 0.02)
        return torch.cat([kink, -kink, torch.full_like(kink, -9.0)], dim=1) + 0 * self.net(x)[:, :1]


def certain_data():
    pixels = 0.5 + 0.3 * (torch.arange(12).view(-1, 1, 1, 1) / 11 - 0.5) * torch.ones(12, 3, 8, 8)
    module = Certain().eval()
    targets = module(pixels).argmax(1)
    return DataLoader(TensorDataset(pixels, targets), batch_size=4)


def test_an_alarm_says_one_line_writes_a_card_and_stops(tmp_path):
    callback = AdversarialEvaluation(
        [FGSM(eps=0.1), PGD(eps=0.1, steps=20, step_size=0.003)], images=None, on_alarm="stop"
    )
    loader = certain_data()
    with pytest.warns(UserWarning, match="ALARM catastrophic overfitting at epoch 0: FGSM .* PGD") as caught:
        trainer, _ = fit(
            tmp_path, [callback], module=Certain(), epochs=3, data=loader, validation=loader, logger=board(tmp_path)
        )
    alarms = [str(warning.message) for warning in caught if "ALARM catastrophic" in str(warning.message)]
    assert len(alarms) == 1
    assert "\n" not in alarms[0]
    assert "PGD Linf 0.1, 20 steps, n = 12" in alarms[0]
    assert trainer.current_epoch == 1
    events = reloaded(tmp_path)
    assert [event.value for event in events.Scalars("alarm/catastrophic_overfitting_fired")] == [1.0]
    assert "alarm/catastrophic_overfitting/text_summary" in events.Tags()["tensors"]


def test_an_alarm_switches_the_training_attack_to_pgd(tmp_path):
    training, loader = Switchable(), certain_data()
    callback = AdversarialEvaluation(
        [FGSM(eps=0.1), PGD(eps=0.1, steps=20, step_size=0.003)], images=None, on_alarm="switch"
    )
    with pytest.warns(UserWarning, match="training goes on with PGD Linf 0.05, 20 steps"):
        fit(tmp_path, [callback, training], module=Certain(), epochs=2, data=loader, validation=loader)
    assert training.given == [PGD(eps=0.05, steps=20)]
    again = AdversarialEvaluation(images=None, on_alarm="switch")
    again.load_state_dict(callback.state_dict())
    assert again._switched


def test_switching_needs_something_to_switch(tmp_path):
    with pytest.raises(ValueError, match="AdversarialTraining"):
        fit(tmp_path, [AdversarialEvaluation(FEW, on_alarm="switch")], data=data(), validation=data())
