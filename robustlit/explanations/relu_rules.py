"""Other rules for the backward pass of ReLUs, without a change to the network.

Guided backpropagation and the deconvnet differ from the gradient in what a ReLU lets through backwards. A torch
function mode sees every ReLU, a module's or a functional one, also in place, and gives it a backward pass whose rule
can be switched after the forward pass: one forward serves all rules.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

__all__ = ["ReluRules"]

_RELUS: set[Callable[..., Any]] = {F.relu, torch.relu, Tensor.relu}
_IN_PLACE: set[Callable[..., Any]] = {F.relu_, torch.relu_, Tensor.relu_}
_RELU6 = F.relu6
_BOUNDED: set[Callable[..., Any]] = {F.hardtanh, F.hardtanh_}


class ReluRules(TorchFunctionMode):
    """Count the ReLUs of a forward pass, and let their backward rule be chosen afterwards.

    With g the gradient arriving and x the input, ``"gradient"`` passes g where x > 0; ``"guided"`` max(g, 0) where
    x > 0 (Springenberg, Dosovitskiy, Brox and Riedmiller, ICLR workshop 2015); ``"deconvnet"`` max(g, 0) everywhere
    (Zeiler and Fergus, ECCV 2014). For ReLU6, "x > 0" is 0 < x < 6.

    Example:
        >>> x = torch.tensor([-1.0, 2.0], requires_grad=True)
        >>> with ReluRules() as rules:
        ...     y = F.relu(x).sum()
        >>> with rules.use("deconvnet"):
        ...     print(rules.seen, torch.autograd.grad(y, x)[0])
        1 tensor([1., 1.])
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.rule = "gradient"

    @contextmanager
    def use(self, rule: str) -> Iterator[None]:
        """Take backward passes by a rule."""
        before, self.rule = self.rule, rule
        try:
            yield
        finally:
            self.rule = before

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Replace the ReLUs among torch's functions."""
        limits = _limits(func, args, kwargs := kwargs or {})
        if limits is None:
            return func(*args, **kwargs)
        self.seen += 1
        upper, in_place = limits
        return _Rectify.apply(args[0] if args else kwargs["input"], upper, in_place, self)


def _limits(func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> tuple[float, bool] | None:
    """Return a ReLU's upper limit and whether it works in place; None for any other function."""
    if func in _RELUS or func is _RELU6:
        in_place = bool(args[1] if len(args) > 1 else kwargs.get("inplace", False))
        return (6.0 if func is _RELU6 else float("inf")), in_place
    if func in _IN_PLACE:
        return float("inf"), True
    if func in _BOUNDED:  # nn.ReLU6 is a Hardtanh from 0 to 6
        options = dict(zip(("input", "min_val", "max_val", "inplace"), args, strict=False)) | kwargs
        in_place = bool(options.get("inplace", False)) or func is F.hardtanh_
        return (float(options.get("max_val", 1.0)), in_place) if options.get("min_val", -1.0) == 0 else None
    return None


class _Rectify(torch.autograd.Function):
    """min(max(x, 0), upper), whose backward asks for the rule of the moment."""

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor, upper: float, in_place: bool, rules: ReluRules) -> Tensor:  # type: ignore[override]
        if in_place:
            ctx.mark_dirty(inputs)
        output = inputs.clamp_(0, upper) if in_place else inputs.clamp(0, upper)
        ctx.save_for_backward((output > 0) & (output < upper))
        ctx.rules = rules  # type: ignore[attr-defined]
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[override]
        (passed,) = ctx.saved_tensors
        rule = ctx.rules.rule
        kept = gradient if rule == "gradient" else gradient.clamp(min=0)
        return (kept if rule == "deconvnet" else torch.where(passed, kept, 0)), None, None, None
