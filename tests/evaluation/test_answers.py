"""Answers one by one: which count, which pixels, and that processes do not change them."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from robustlit.core import Adapter
from robustlit.evaluation.passes.answers import AnswerPicker, Answers
from robustlit.evaluation.passes.gathering import Chunk
from tests.evaluation.ddp_answers import run_all
from tests.tiny import trainer


def test_ignored_targets_are_no_answers():
    chunk = Chunk(torch.zeros(3, 3, 2, 2), torch.tensor([1, -100, 0]), torch.tensor([5, 6, 7]))
    found = AnswerPicker(Adapter(), chunk)(torch.arange(6.0).view(3, 2))
    assert (found.targets.tolist(), found.images.tolist()) == ([1, 0], [5, 7])
    assert found.logits.tolist() == [[0, 1], [4, 5]]


def test_one_logit_is_two_and_labels_are_numbered():
    chunk = Chunk(torch.zeros(2, 3, 2, 2), torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([5, 6]))
    found = AnswerPicker(Adapter(), chunk)(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert found.logits.tolist() == [[0, 1], [0, 2], [0, 3], [0, 4]]
    assert found.targets.tolist() == [1, 0, 0, 1]
    assert (found.images.tolist(), found.labels.tolist(), found.n) == ([5, 5, 6, 6], [0, 1, 0, 1], 2)


def test_the_same_valid_pixels_are_picked_wherever_an_image_lies():
    targets = torch.randint(0, 3, (4, 6, 5), generator=torch.Generator().manual_seed(0))
    targets[:, 0] = 255
    logits, ids = torch.rand(4, 3, 6, 5), torch.tensor([9, 2, 4, 7])
    adapter = Adapter(ignore_index=255)
    whole = AnswerPicker(adapter, Chunk(torch.zeros(4, 3, 6, 5), targets, ids), pixels=8)(logits)
    assert whole.targets.max() < 3
    assert whole.images.bincount().max() == 8
    part = AnswerPicker(adapter, Chunk(torch.zeros(2, 3, 6, 5), targets[1:3], ids[1:3]), pixels=8)(logits[1:3])
    assert torch.equal(part.logits, whole.logits[(whole.images == 2) | (whole.images == 4)])
    every = AnswerPicker(adapter, Chunk(torch.zeros(4, 3, 6, 5), targets, ids), pixels=999)(logits)
    assert len(every) == 4 * 25


def test_joined_answers_are_in_the_order_of_their_images():
    one, two = (
        Answers(torch.full((2, 2), float(ids[0])), torch.zeros(2).long(), torch.tensor(ids), torch.zeros(2).long())
        for ids in ([3, 3], [1, 1])
    )
    assert Answers.joined([one, two]).images.tolist() == [1, 1, 3, 3]


def test_two_processes_give_the_figures_of_one(tmp_path):
    script = Path(__file__).parent / "ddp_answers.py"
    run = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "rank")], capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr[-2000:]
    first, second = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=False) for rank in (0, 1))
    assert first == second
    rows, counts = run_all(tmp_path, trainer([]))
    assert [row[:2] for row in first[0]] == [row[:2] for row in rows]
    for own, other in zip(rows, first[0], strict=True):
        expected = [
            pytest.approx(value, rel=1e-6, abs=1e-6) if isinstance(value, float) else value for value in own[2:]
        ]
        assert list(other[2:]) == expected, own
    assert counts == first[1]
