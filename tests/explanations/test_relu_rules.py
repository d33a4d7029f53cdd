import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.explanations.relu_rules import ReluRules

RELUS = {
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "functional": F.relu,
    "functional in place": lambda x: F.relu(x, inplace=True),
    "torch": torch.relu,
    "torch in place": torch.relu_,
    "method": lambda x: x.relu(),
    "method in place": lambda x: x.relu_(),
    "relu6": F.relu6,
    "module relu6": nn.ReLU6(),
    "module relu6 in place": nn.ReLU6(inplace=True),
}
X = torch.tensor([-2.0, -1.0, 1.0, 2.0, 7.0, 8.0])
ARRIVING = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])


@pytest.mark.parametrize("name", RELUS)
def test_every_relu_is_seen_and_follows_the_rule(name: str) -> None:
    x = X.clone().requires_grad_()
    with ReluRules() as rules:
        y = RELUS[name](x * 1)
    upper = 6 if "relu6" in name else 99
    assert rules.seen == 1
    assert y.tolist() == X.clamp(0, upper).tolist()
    gate = ((X > 0) & (upper > X)).float()
    expected = {
        "gradient": ARRIVING * gate,
        "guided": ARRIVING.clamp(min=0) * gate,
        "deconvnet": ARRIVING.clamp(min=0),
    }
    for rule, wanted in expected.items():
        with rules.use(rule):
            (slope,) = torch.autograd.grad(y, x, ARRIVING, retain_graph=True)
        assert slope.tolist() == wanted.tolist()
    assert rules.rule == "gradient"


def test_in_place_changes_what_the_code_goes_on_with() -> None:
    class Careless(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = x * 1
            F.relu(x, inplace=True)
            return x

    with ReluRules():
        assert Careless()(X).tolist() == X.clamp(min=0).tolist()


def test_a_hardtanh_of_another_range_is_no_relu() -> None:
    with ReluRules() as rules:
        y = F.hardtanh(X)
    assert rules.seen == 0
    assert y.tolist() == X.clamp(-1, 1).tolist()
