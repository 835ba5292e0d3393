"""Whatever stands in a site folder: it compiles, or every problem is told at a line that exists. Nothing else ever."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from controller.core.errors import ConfigError, Problem
from controller.settings.compile import compile_site
from controller.settings.point_list import COLUMNS as COLUMNS_OF_A_LIST
from drivers import driver_kind
from strategies import strategy_kind
from tests.sweep import examples

SMALL_SITE = Path(__file__).resolve().parents[1] / "unit" / "settings" / "site"
OF_SITE = ("site.yaml", "devices.yaml", "strategies.yaml", "templates/test/plant.yaml", "templates/test/lamps.yaml")
TARIFF = "tariffs/guangdong.yaml"
LIST = "points.csv"
YAML = (*OF_SITE, TARIFF)
FILES = (*YAML, LIST)
TEXTS = {file: (SMALL_SITE / file).read_text(encoding="utf-8") for file in OF_SITE}
TEXTS["site.yaml"] += "tariff: {file: guangdong, rate: two_part, flat_price: 0.6, basic_charge: demand}\n"
TEXTS["devices.yaml"] += """\
  - id: tower
    driver: modbus
    connection: {host: 10.0.0.9}
    devices:
      - {id: box, points: points.csv, address: {unit: 3}}
"""
TEXTS["site.yaml"] = TEXTS["site.yaml"].replace("[garage.group_1,", "[found.box, garage.group_1,")
COLUMNS = (*COLUMNS_OF_A_LIST, "address.table", "address.register", "address.type", "tags.brick")
ROWS: list[dict[str, str]] = [
    {"point": "found.box.heat", "kind": "sensor", "unit": "W", "title": "热量", "address.type": "int16"},
    {
        **{"point": "found.box.limit", "kind": "setpoint", "unit": "degC", "address.type": "uint16"},
        **{"range_low": "5", "range_high": "15", "restore_low": "6", "restore_high": "10", "on_silence": "none"},
    },
]
TEXTS[LIST] = ",".join(COLUMNS) + "\n"
for number, row in enumerate(ROWS):
    row |= {"device": "box", "address.table": "holding", "address.register": str(number)}
    TEXTS[LIST] += ",".join(row.get(name, "") for name in COLUMNS) + "\n"
TEXTS[TARIFF] = (Path(__file__).resolve().parents[2] / "config" / TARIFF).read_text(encoding="utf-8")

JARGON = ("pydantic", "Input should", "Traceback", "NoneType", "validation")
Tree: TypeAlias = Any
Place: TypeAlias = "tuple[str | int, ...]"
FUZZ = examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SMALL_SITE, tmp_path / "site")
    (tmp_path / "site" / "tariffs").mkdir()
    return tmp_path / "site"


def compile_or_tell(folder: Path, spoiled: dict[str, bytes]) -> None:
    for file, text in TEXTS.items():
        (folder / file).write_bytes(spoiled.get(file, text.encode("utf-8")))
    for problem in problems_of(folder):
        lines = len(re.split(rb"\r\n|\r|\n", problem.file.read_bytes())) if problem.file.is_file() else 1
        assert 1 <= problem.line <= lines, problem
        assert problem.wrong, problem
        assert problem.right, problem
        assert "\n" not in str(problem), problem
        assert not any(word in str(problem) for word in JARGON), problem


def problems_of(folder: Path) -> tuple[Problem, ...]:
    try:
        compile_site(folder, folder / "templates", driver_kind, strategy_kind, environment={})
    except ConfigError as error:
        return error.problems
    return ()


# --- spoiled text -----------------------------------------------------------------------------------------------------

SIGNS = (
    *(b"\t", b"\0", b"\xff", b"\n", b": ", b"- ", b"? ", b"{", b"}", b"[", b"]", b'"', b"'", b"#", b"%", b"@", b"~"),
    *(b",", b";", b'""', b"\r", b"=1+1", b"1.234,5", b"true"),
    *(b"&a ", b"*a", b"!env X", b"!!int ", b"|\n", b">", b"---\n", b"<<: ", b"1e999"),
)
SNIPPETS = st.one_of(
    st.binary(max_size=6),
    st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(SIGNS),
)


@FUZZ
@given(file=st.sampled_from(FILES), at=st.floats(0, 1), cut=st.integers(0, 40), snippet=SNIPPETS)
def test_a_spoiled_text(folder: Path, file: str, at: float, cut: int, snippet: bytes) -> None:
    raw = TEXTS[file].encode("utf-8")
    start = int(at * len(raw))
    compile_or_tell(folder, {file: raw[:start] + snippet + raw[start + cut :]})


@FUZZ
@given(file=st.sampled_from(FILES), raw=st.binary(max_size=200))
def test_any_bytes(folder: Path, file: str, raw: bytes) -> None:
    compile_or_tell(folder, {file: raw})


# --- spoiled data -------------------------------------------------------------------------------------------------


def places(tree: Tree, here: Place = ()) -> list[Place]:
    """Every place of a tree, its root excepted."""
    items: list[tuple[str | int, Tree]] = []
    if isinstance(tree, dict):
        items = list(cast("dict[str | int, Tree]", tree).items())
    elif isinstance(tree, list):
        items = list(enumerate(cast("list[Tree]", tree)))
    return [place for key, value in items for place in ((*here, key), *places(value, (*here, key)))]


def spoil(tree: Tree, place: Place, change: Callable[[Tree, str | int], None]) -> None:
    for step in place[:-1]:
        tree = tree[step]
    change(tree, place[-1])


TREES: dict[str, Tree] = {file: yaml.load(text, Loader=yaml.BaseLoader) for file, text in TEXTS.items() if file != LIST}
WORDS = sorted(
    {str(place[-1]) for tree in TREES.values() for place in places(tree)} | {"none", "null", "60s", "0", "-1"}
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(WORDS)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=6,
)


@FUZZ
@given(data=st.data(), file=st.sampled_from(YAML), value=VALUES, what=st.sampled_from(["replace", "remove", "rename"]))
def test_spoiled_data(folder: Path, data: st.DataObject, file: str, value: Tree, what: str) -> None:
    tree = yaml.load(TEXTS[file], Loader=yaml.SafeLoader)
    place = data.draw(st.sampled_from(places(tree)))

    def change(parent: Tree, key: str | int) -> None:
        if what == "replace":
            parent[key] = value
        elif what == "remove" or isinstance(key, int):
            del parent[key]
        else:
            parent[data.draw(st.sampled_from(WORDS))] = parent.pop(key)

    spoil(tree, place, change)
    compile_or_tell(folder, {file: yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass")})


def test_nothing_is_wrong_with_what_is_spoiled(folder: Path) -> None:
    for file, text in TEXTS.items():
        (folder / file).write_text(text, encoding="utf-8")
    assert problems_of(folder) == ()


CELLS = st.one_of(
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(WORDS),
    st.sampled_from(["=A1", "[[[[", '{"on": true}', "[1, 2]", "1,5", "+1", "0x10", "是", "60s", "none", "9" * 50]),
)


@FUZZ
@given(cells=st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=6), at=st.integers(0, 1))
def test_spoiled_rows(folder: Path, cells: dict[str, str], at: int) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows({**row, **(cells if number == at else {})} for number, row in enumerate(ROWS))
    compile_or_tell(folder, {LIST: text.getvalue().encode("utf-8", "surrogatepass")})
