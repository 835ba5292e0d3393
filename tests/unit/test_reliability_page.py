"""The page of faults names every fault that a test stands for, and no other."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.fault_table import BEGIN, END, HEAD

ROOT = Path(__file__).resolve().parents[2]


def tried() -> set[str]:
    found: set[str] = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "mark.fault" in text else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
                found.update(ast.literal_eval(arg) for arg in node.args)
    return found


def test_the_page_has_a_row_for_every_fault() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = page.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    assert tuple(rows[:2]) == HEAD
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]
    assert {row[0] for row in cells} == tried(), "write it anew: make faults ARGS=--keep-table=docs/reliability.md"
    assert [row[0] for row in cells if row[1] != row[2]] == [], "each was survived as often as it was tried"
