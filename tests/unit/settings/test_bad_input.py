"""Every kind of bad input is told as `file:line: what is wrong; what would be right`, all of it at once."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

import pytest
import yaml

from tests.unit.settings.conftest import Edit, Told


class Case(TypedDict):
    case: str
    file: str
    instead_of: str
    write: str
    told: list[str]


CASES = cast("list[Case]", yaml.safe_load((Path(__file__).parent / "bad_input.yaml").read_text(encoding="utf-8")))


def test_the_site_itself_is_right(told: Told) -> None:
    assert told() == []


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_bad_input(case: Case, edit: Edit, told: Told) -> None:
    edit(case["file"], case["instead_of"], case["write"])
    assert told() == case["told"]
