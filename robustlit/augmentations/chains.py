"""Chains of operations, drawn for every sample, and their mixture with the sample."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from robustlit.augmentations.base import Params, at, change_chosen, part_size
from robustlit.augmentations.draws import gamma_draws
from robustlit.augmentations.regions import integers
from robustlit.core.random import fold, uniform

__all__ = ["ChainParams", "Operation", "chain_caption", "draw_chains", "mix_chains"]


class Operation(NamedTuple):
    """One operation of a chain.

    Args:
        settings: Turns levels and seeds of L steps, and the images' size, into what ``run`` needs, L×….
        run: Changes float32 images M×C×H×W by settings M×….
    """

    settings: Callable[[Tensor, Tensor, tuple[int, int]], Tensor]
    run: Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class ChainParams(Params):
    """What was drawn for a batch of N images, W chains and up to D operations a chain.

    Args:
        chosen: bool of shape N.
        operation: Position of every step's operation, int64 N×W×D; -1 where a chain has ended.
        level: Strength of every step, float32 N×W×D, uniform in [-1, 1).
        seeds: Seeds of what the steps draw besides, int64 N×W×D.
        weight: Weight of every chain in the mixture, float32 N×W of sum 1.
        blend: Weight of the mixture against the image, float32 of shape N.
    """

    operation: Tensor
    level: Tensor
    seeds: Tensor
    weight: Tensor
    blend: Tensor


def draw_chains(
    seeds: Tensor, chosen: Tensor, operations: int, width: int, depth: int | tuple[int, int], alpha: float
) -> ChainParams:
    """Draw chains: operations, levels and seeds of all steps, and the weights of the mixture.

    Args:
        seeds: int64 of shape N.
        chosen: bool of shape N; the others' chains are empty.
        operations: How many operations there are.
        width: How many chains.
        depth: Operations a chain, or the range from which that is drawn for every chain.
        alpha: Parameter of the Dirichlet and the beta distribution of the weights.
    """
    least, most = (depth, depth) if isinstance(depth, int) else depth
    steps = width * most
    draws = uniform(fold(seeds, "chains"), (2 * steps + width,))
    length = least + integers(draws[:, 2 * steps :], most - least + 1)
    place = torch.arange(steps, device=seeds.device)
    runs = (place[:most] < length[..., None]) & chosen[:, None, None]
    gammas = gamma_draws(seeds, alpha, width + 2)
    weights, blends = gammas[:, :width], gammas[:, width:]
    return ChainParams(
        chosen=chosen,
        operation=integers(draws[:, :steps], operations).view(-1, width, most).masked_fill_(~runs, -1),
        level=(draws[:, steps : 2 * steps] * 2 - 1).view(-1, width, most),
        seeds=fold(seeds.repeat_interleave(steps), place.repeat(len(seeds))).view(-1, width, most),
        weight=(weights / weights.sum(1, keepdim=True)).float(),  # Dirichlet, and next beta
        blend=(blends[:, 0] / blends.sum(1)).float(),
    )


def mix_chains(images: Tensor, params: ChainParams, operations: Sequence[Operation]) -> Tensor:
    """Run every sample's chains and mix them: (1 - blend) · image + blend · sum of weight · chain (AugMix).

    At every step each operation runs once, on the samples that drew it and on nothing else. Which those are has to be
    known where the work is handed out: on CUDA that is one small read a batch.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        params: What was drawn.
        operations: What the positions in ``params.operation`` mean.

    Returns:
        Float32 N×C×H×W in [0, 1].
    """
    work = _Mixture(images, params, operations)
    one_by_one = images.device.type == "cpu" and part_size(images[0].numel()) == 1
    return change_chosen(images, params.chosen, work.alone if one_by_one else work.together)


class _Mixture:
    """The chains of a batch, and how to run them for some of its samples."""

    def __init__(self, images: Tensor, params: ChainParams, operations: Sequence[Operation]) -> None:
        levels, seeds = params.level.flatten(), params.seeds.flatten()
        size = (images.shape[2], images.shape[3])
        self.images = images
        self.plan: _Plan = params.operation.tolist()
        self.settings = [operation.settings(levels, seeds, size) for operation in operations]
        self.runs = [operation.run for operation in operations]
        self.own, self.shares = 1 - params.blend, params.weight * params.blend[:, None]

    def together(self, rows: Tensor) -> Tensor:
        """Mix several images: one run of an operation for all that drew it at a step."""
        some = at(self.images, rows)
        places = range(len(self.images)) if len(rows) == len(self.images) else rows.tolist()
        chains = torch.cat([some] * self.shares.shape[1])
        for number, where, slots in _handed_out(self.plan, places, some.device):
            run, given = self.runs[number], self.settings[number]
            if len(where) == 1 and some.device.type == "cpu":  # fewer copies; on CUDA it would read the device
                row, slot = int(where[0]), int(slots[0])
                chains[row].copy_(run(chains[row : row + 1], given[slot : slot + 1])[0])
            else:
                chains.index_copy_(0, where, run(chains.index_select(0, where), given.index_select(0, slots)))
        result = some * self.own[rows][:, None, None, None]
        for chain, share in zip(chains.view(-1, *some.shape), self.shares[rows].t(), strict=True):
            result.add_(chain.mul_(share[:, None, None, None]))
        return result.clamp_(0, 1)

    def alone(self, rows: Tensor) -> Tensor:
        """Mix one image, with fewer copies; for images that fill the cache alone."""
        place = int(rows)
        image = self.images[place : place + 1]
        result, slot = image * float(self.own[place]), place * len(self.plan[0]) * len(self.plan[0][0])
        for numbers, share in zip(self.plan[place], self.shares[place].tolist(), strict=True):
            chain = image
            for number in numbers:
                if number >= 0:
                    chain = self.runs[number](chain, self.settings[number][slot : slot + 1])
                slot += 1
            result.add_(chain, alpha=share)
        return result.clamp_(0, 1)


_Plan: TypeAlias = list[list[list[int]]]  # the number of the operation: samples, their chains, the chains' steps
_Work: TypeAlias = tuple[int, Tensor, Tensor]


def _handed_out(plan: _Plan, places: Sequence[int], device: torch.device) -> Iterator[_Work]:
    """Tell step by step which operation runs on which rows of the chains, with the settings of which slots."""
    width, depth = len(plan[0]), len(plan[0][0])
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row, place in enumerate(places):
        for chain in range(width):
            for step, number in enumerate(plan[place][chain]):
                if number >= 0:
                    slot = (place * width + chain) * depth + step
                    groups.setdefault((step, number), []).append((chain * len(places) + row, slot))
    ordered = sorted(groups)
    if not ordered:
        return
    flat = torch.tensor([pair for key in ordered for pair in groups[key]]).to(device)  # all in one copy
    for key, part in zip(ordered, torch.split(flat, [len(groups[key]) for key in ordered]), strict=True):
        yield key[1], part[:, 0], part[:, 1]


def chain_caption(params: ChainParams, row: int, names: Sequence[str]) -> str:
    """Write out a sample's chains, their weights in the mixture and the mixture's.

    Args:
        params: What was drawn.
        row: Position of the sample in the batch.
        names: Of the operations.
    """
    if not bool(params.chosen[row]):
        return "unchanged"
    chains = []
    for numbers, weight in zip(params.operation[row].tolist(), params.weight[row].tolist(), strict=True):
        steps = " > ".join(names[number] for number in numbers if number >= 0)
        chains.append(f"{weight:.2f} {steps}")
    return f"mix {float(params.blend[row]):.2f}: {' + '.join(chains)}"
