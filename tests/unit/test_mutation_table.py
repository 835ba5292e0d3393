"""What `make mutations` changes is still there to be changed: it is run too seldom to be the first to tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations.table import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_what_is_mutated_stands_there_once(mutation: Mutation) -> None:
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutation.tests)
