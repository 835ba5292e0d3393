"""The table of `make faults`: each fault, how often it was tried and survived, and what may be lost by it.

A test says which fault it stands for: `@pytest.mark.fault("kill -9", lost="...")`. `lost` is what its assertions
allow. One test that tries many times says so: `record_property("tried", 200)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pytest

NOTHING = "nothing"
BEGIN, END = "<!-- faults: begin (written by make faults) -->", "<!-- faults: end -->"
HEAD = ("| fault | tried | survived | what was lost |", "|---|---:|---:|---|")


@dataclass
class Row:
    lost: set[str]
    tried: int = 0
    survived: int = 0

    def line(self, fault: str) -> str:
        losses = sorted(self.lost - {NOTHING}) or [NOTHING]
        return f"| {fault} | {self.tried} | {self.survived} | {'; '.join(losses)} |"


_rows: dict[str, Row] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep-table", metavar="FILE", help="write the table into this page, between its two marks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("fault"):
            if marker.args:
                item.user_properties.append(("fault", [marker.args[0], marker.kwargs.get("lost", NOTHING)]))
                break


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    said = dict(report.user_properties)
    if "fault" not in said or (report.when != "call" and report.passed):
        return
    fault, lost = cast("list[str]", said["fault"])
    row = _rows.setdefault(fault, Row(set[str]()))
    tried = cast("int", said.get("tried", 1))
    row.lost.add(lost)
    row.tried += tried
    row.survived += tried if report.passed else 0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = [*HEAD, *(row.line(fault) for fault, row in sorted(_rows.items()))]
    terminalreporter.section("faults")
    for line in lines:
        terminalreporter.write_line(line)
    page = config.getoption("--keep-table")
    if page:
        path = Path(page)
        before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        path.write_text("\n".join([before + BEGIN, *lines, END]) + rest.partition(END)[2], encoding="utf-8")
