"""The training-step pipeline: how callbacks change the training of a module they did not write.

One pipeline a module wraps ``training_step``. It runs where the step runs: inside autocast, DDP's forward, gradient
accumulation and loss scaling. The wrapper is a ``types.MethodType`` bound to the module, so that a deep copy trains its
own weights and pickling works; what stood in its place before (a compiled step) is put back at the end.
"""

import copy
import functools
import types
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from torch import Tensor, nn

__all__ = ["BatchStage", "ExtraLoss", "Pipeline", "Step"]

_ATTRIBUTE = "_robustlit_pipeline"
_BATCH_STAGES = ("augment", "attack")

BatchStage: TypeAlias = Callable[[nn.Module, Any, int | None], Any]
ExtraLoss: TypeAlias = Callable[[nn.Module, "Step"], Tensor]


@dataclass(frozen=True)
class Step:
    """What an extra-loss stage may look at, after the module's own step.

    Args:
        batch: The batch that the module's step was given.
        original: The batch as the loader gave it, before any stage.
        batch_idx: Position of the batch in its epoch; None where the module's step does not take it.
        output: What the module's step returned.
        forward: What the module's ``forward`` returned last during its own step; None if the step did not call it.
    """

    batch: Any
    original: Any
    batch_idx: int | None
    output: Any
    forward: Any


class Pipeline:
    """The stages around one module's ``training_step``, in the fixed order augment, attack, own step, extra losses.

    Callbacks join in ``setup("fit")`` and leave in ``teardown`` and ``on_exception``; the first to join installs the
    wrapper and the last to leave removes it. Within a stage the order is that of joining.

    Example:
        >>> class Doubler(nn.Module):
        ...     def training_step(self, batch, batch_idx):
        ...         return 2 * batch
        >>> module = Doubler()
        >>> Pipeline.join(module, "me").add("augment", "me", lambda module, batch, batch_idx: batch + 1)
        >>> module.training_step(10, 0)
        22
        >>> Pipeline.leave(module, "me")
        >>> module.training_step(10, 0), "training_step" in vars(module)
        (20, False)
    """

    def __init__(self, module: nn.Module | None = None) -> None:
        self._module = weakref.ref(module) if module is not None else None
        self._previous = vars(module).get("training_step") if module is not None else None
        self._members: list[Any] = []
        self._batch_stages: dict[str, list[tuple[Any, BatchStage]]] = {name: [] for name in _BATCH_STAGES}
        self._extra_losses: list[tuple[Any, ExtraLoss]] = []

    @classmethod
    def join(cls, module: nn.Module, owner: Any) -> "Pipeline":
        """Return the module's pipeline with ``owner`` among its members, installing it for the first."""
        pipeline: Pipeline | None = vars(module).get(_ATTRIBUTE)
        if pipeline is not None and not pipeline._belongs_to(module):
            vars(module).pop(
                "training_step", None
            )  # a copy made in a fit runs its original's stages until it gets its own
            pipeline = None
        if pipeline is None:
            pipeline = cls(module)
            setattr(module, _ATTRIBUTE, pipeline)
            module.training_step = types.MethodType(_wrapper(type(module)), module)  # type: ignore[arg-type, assignment]
        if not any(member is owner for member in pipeline._members):
            pipeline._members.append(owner)
        return pipeline

    @staticmethod
    def leave(module: nn.Module, owner: Any) -> None:
        """Take ``owner`` and its stages out; the last to leave removes the pipeline. Leaving twice is harmless."""
        pipeline = vars(module).get(_ATTRIBUTE)
        if pipeline is not None and pipeline._belongs_to(module):
            pipeline._drop(owner)
            if not pipeline._members:
                pipeline._uninstall(module)

    def add(self, stage: Literal["augment", "attack"], owner: Any, function: BatchStage) -> None:
        """Add a stage that changes the batch: ``function(module, batch, batch_idx) -> new batch``."""
        self._batch_stages[stage].append((owner, function))

    def add_loss(self, owner: Any, function: ExtraLoss) -> None:
        """Add a term to the loss: ``function(module, step) -> scalar``.

        Raises:
            ValueError: If the module optimises manually, because then nobody would use the term.
        """
        module = self._module() if self._module is not None else None
        if not getattr(module, "automatic_optimization", True):
            raise ValueError(
                "expected automatic optimization for an extra loss term, got a module that optimises manually; "
                "try computing the term in its training_step"
            )
        self._extra_losses.append((owner, function))

    def run(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run every stage around the module's own step; called by the wrapper."""
        arguments = dict(kwargs)
        original = args[0] if args else arguments.pop("batch")
        batch_idx = args[1] if len(args) > 1 else arguments.get("batch_idx")
        batch = original
        for name in _BATCH_STAGES:
            for _, function in self._batch_stages[name]:
                batch = function(module, batch, batch_idx)
        if not self._extra_losses:
            return self._own_step(module)(batch, *args[1:], **arguments)
        seen: list[Any] = []
        handle = module.register_forward_hook(lambda _, __, output: seen.append(output))
        try:
            output = self._own_step(module)(batch, *args[1:], **arguments)
        finally:
            handle.remove()
        step = Step(batch, original, batch_idx, output, seen[-1] if seen else None)
        if output is None:  # the module skips this batch
            return None
        for _, extra_loss in self._extra_losses:
            output = _with_added_loss(output, extra_loss(module, step))
        return output

    def __deepcopy__(self, memo: dict[int, Any]) -> "Pipeline":
        return self  # a copy of the module runs the same stages, on its own weights, until they are taken out

    def __reduce__(self) -> tuple[type["Pipeline"], tuple[()]]:
        return (Pipeline, ())  # an unpickled module has its plain step: callbacks join again in setup

    def _own_step(self, module: nn.Module) -> Callable[..., Any]:
        if self._previous is not None and self._belongs_to(module):
            return self._previous  # type: ignore[no-any-return]
        return functools.partial(type(module).training_step, module)  # type: ignore[attr-defined]

    def _belongs_to(self, module: nn.Module) -> bool:
        return self._module is not None and self._module() is module

    def _drop(self, owner: Any) -> None:
        self._members = [member for member in self._members if member is not owner]
        for name, stages in self._batch_stages.items():
            self._batch_stages[name] = [(member, function) for member, function in stages if member is not owner]
        self._extra_losses = [(member, function) for member, function in self._extra_losses if member is not owner]

    def _uninstall(self, module: nn.Module) -> None:
        delattr(module, _ATTRIBUTE)
        if self._previous is None:
            del module.training_step
        else:
            module.training_step = self._previous


@functools.cache
def _wrapper(owner: type[nn.Module]) -> Callable[..., Any]:
    """Return the function that replaces a class's ``training_step``; it keeps the name and the signature."""

    @functools.wraps(owner.training_step)  # type: ignore[attr-defined]
    def training_step(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return vars(self)[_ATTRIBUTE].run(self, args, kwargs)

    return training_step


def _with_added_loss(output: Any, term: Tensor) -> Any:
    if isinstance(output, Mapping):
        changed = copy.copy(output)
        changed["loss"] = output["loss"] + term  # type: ignore[index]
        return changed
    return output + term
