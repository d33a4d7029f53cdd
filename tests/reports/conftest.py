"""A run with figures, records and pictures of every kind."""

from pathlib import Path

import pytest

from tests.reports.run_folders import (
    add_panel,
    answers,
    attack_rows,
    make_run,
    other_records,
    outcome_records,
    rows_of,
)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    right = answers(0)
    folder = tmp_path_factory.mktemp("runs") / "whole"
    records = outcome_records(right) + other_records()
    make_run(folder, rows=rows_of(right) + attack_rows(), records=records)
    add_panel(folder)
    return folder
