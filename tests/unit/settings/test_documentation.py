"""What docs/configuration.md shows compiles, and its tables are those of the code. Run this file to write the table of
classes anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.core.equipment import EQUIPMENT
from controller.core.units import DEVICE_UNITS, Unit
from controller.settings.compile import compile_site
from controller.settings.point_list import COLUMNS
from drivers import driver_kind
from strategies import strategy_kind

PAGE = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"
TEXT = PAGE.read_text(encoding="utf-8")
FILES = dict(re.findall(r"```yaml\n# file: (\S+)\n(.*?)```", TEXT, re.DOTALL))
BEGIN, END = "<!-- classes: begin (a test keeps this table) -->\n", "<!-- classes: end -->\n"


def classes() -> str:
    rows = ["| class | quantities |", "|---|---|"]
    for name, known in EQUIPMENT.items():
        told = ", ".join(
            f"`{quantity}`" + (f" [{each.unit}]" if each.unit is not Unit.NONE else "")
            for quantity, each in known.quantities.items()
        )
        rows.append(f"| `{name}` | {'what its points call themselves' if known.is_open else told} |")
    return "\n".join(rows) + "\n"


def test_its_examples_are_a_site_that_compiles(tmp_path: Path) -> None:
    assert len(FILES) == 5
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    site = compile_site(
        tmp_path, tmp_path / "templates", driver_kind, strategy_kind, environment={"LIGHTING_HOST": "10.0.0.6"}
    )
    assert site.links[1].connection.host == "10.0.0.6"
    assert len(site.mounts) == 1


LISTS = PAGE.with_name("points.md").read_text(encoding="utf-8")
SITE_OF_A_LIST = """\
tidewatt: 1
name: Listed
position: {latitude: 22.5, longitude: 114.1}
time_zone: Asia/Shanghai
systems:
  - {id: all, name: {en: All, zh: 全部}, points: [plant.pump_9, plant.gateway_9, found.box], release_within: 10min}
"""


def test_the_point_list_that_is_shown_compiles(tmp_path: Path) -> None:
    for name, content in re.findall(r"```(?:yaml|csv)\n# file: (\S+)\n(.*?)```", LISTS, re.DOTALL):
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "site.yaml").write_text(SITE_OF_A_LIST, encoding="utf-8")
    site = compile_site(tmp_path, tmp_path / "templates", driver_kind, strategy_kind, environment={})
    assert len(site.points) == 7
    assert sum(point.writable is not None for point in site.points.values()) == 4


def test_every_column_of_a_point_list_is_told() -> None:
    table = LISTS.partition("<!-- columns: begin")[2].partition("<!-- columns: end")[0]
    told = [name for row in table.splitlines()[3:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert told == list(COLUMNS)


def test_its_table_of_classes_is_that_of_the_code() -> None:
    assert TEXT.partition(BEGIN)[2].partition(END)[0] == classes()


@pytest.mark.parametrize("unit", DEVICE_UNITS)
def test_it_names_every_unit(unit: str) -> None:
    assert unit == Unit.NONE or f"`{unit}`" in TEXT or f'`"{unit}"`' in TEXT


if __name__ == "__main__":
    before, _, rest = TEXT.partition(BEGIN)
    PAGE.write_text(before + BEGIN + classes() + END + rest.partition(END)[2], encoding="utf-8")
