"""The list of `make mutations` keeps up with the code: it can be applied, and its tests are there."""

from __future__ import annotations

from pathlib import Path

from tests.mutations.table import MUTATIONS

ROOT = Path(__file__).parents[2]


def test_every_mutation_can_be_applied() -> None:
    texts = {each.file: (ROOT / each.file).read_text(encoding="utf-8") for each in MUTATIONS}
    assert [each.name for each in MUTATIONS if texts[each.file].count(each.old) != 1] == []
    assert [each.name for each in MUTATIONS if each.new == each.old] == []


def test_every_mutation_has_a_name_of_its_own_and_tests() -> None:
    assert len({each.name for each in MUTATIONS}) == len(MUTATIONS)
    assert {test for each in MUTATIONS for test in each.tests if not (ROOT / test).is_file()} == set()
