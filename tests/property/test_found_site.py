"""Whatever a network calls its devices and points: the site that a scan or an EDE file becomes passes the check."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from controller.cli.ede import EdeFiles, ede_findings
from controller.cli.found_site import site_files, write_files
from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.errors import ConfigError
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from controller.core.site import Site
from controller.core.units import DEVICE_UNITS
from controller.settings.compile import compile_site
from drivers import driver_kind
from strategies import strategy_kind
from tests.sweep import examples

FUZZ = examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["=1+1", "@SUM(A1)", "-1", "true", "送风", "a|b", "[x]", 'say "x"', "a;b,c\td", "x\r\ny", "'", "#", ""]
    ),
    st.text("abc_1. ", max_size=90),
)
IDS = st.sampled_from(["gateway", "Gateway", "1", "", "机房", "a" * 80])


@st.composite
def devices(draw: st.DrawFn) -> FoundDevice:
    address: dict[str, JsonValue] = {"unit": draw(st.integers(1, 247))}
    connection: dict[str, JsonValue] = {"host": draw(st.sampled_from(["10.0.0.5", "gateway.local", "on", "3.10"]))}
    return FoundDevice(draw(IDS), connection, address, draw(WORDS))


@st.composite
def points(draw: st.DrawFn) -> FoundPoint:
    bit = draw(st.booleans())
    table = draw(st.sampled_from(["coil", "discrete"] if bit else ["input", "holding"]))
    address: dict[str, JsonValue] = {"table": table, "register": draw(st.integers(0, 9))}
    if not bit:
        address["type"] = "uint16"
    unit = "none" if bit else draw(st.sampled_from(sorted(DEVICE_UNITS)))
    kind = draw(st.sampled_from(PointKind))
    return FoundPoint(
        *(draw(IDS), draw(WORDS), kind, ValueType.BOOLEAN if bit else ValueType.NUMBER, unit, address, draw(WORDS)),
        *(draw(WORDS), draw(st.lists(WORDS, max_size=3).map(tuple))),
    )


NO_ANSWERS = st.builds(NoAnswer, WORDS, WORDS)


def compiled(folder: Path, driver: str, found: list[Found]) -> Site | None:
    """The site that was written; None where nothing was found to write."""
    shutil.rmtree(folder, ignore_errors=True)
    files = site_files(driver, found)
    if not files.texts:
        return None
    write_files(folder, files.texts)
    site = compile_site(folder, folder / "templates", driver_kind, strategy_kind, environment={})
    assert len(site.points) == files.points
    assert sum(len(link.devices) for link in site.links) == files.devices
    assert all(point.writable is None for point in site.points.values())
    no_formula = re.compile(r"(?:^|,)[=@]", re.MULTILINE)
    assert not no_formula.search(re.sub(r'"[^"]*"', "", (folder / "points.csv").read_text(encoding="utf-8")))
    return site


@FUZZ
@given(found=st.lists(st.one_of(devices(), points(), points(), NO_ANSWERS), max_size=12))
def test_whatever_is_found(tmp_path: Path, found: list[Found]) -> None:
    seen: dict[tuple[str, str], FoundDevice] = {}
    # Two devices at one place are one device: no scan tells them twice.
    told = [
        each
        for each in found
        if not isinstance(each, FoundDevice) or seen.setdefault((str(each.connection), str(each.address)), each) is each
    ]
    compiled(tmp_path / "site", "modbus", told)


@FUZZ
@given(
    states=st.lists(st.text(max_size=6), min_size=1, max_size=4, unique=True),
    title=st.text(max_size=20),
)
def test_the_words_of_states_stay_as_they_are(tmp_path: Path, states: list[str], title: str) -> None:
    address: dict[str, JsonValue] = {"object": "multi-state-value,1", "states": list(states)}
    found: list[Found] = [
        FoundDevice("x", {"interface": "10.0.0.4/24"}, {"instance": 1}, title),
        FoundPoint(
            *("x", "mode", PointKind.STATUS, ValueType.TEXT, "none", address, title, states[0]),
            tuple(states),
        ),
    ]
    site = compiled(tmp_path / "site", "bacnet", found)
    if site is not None:
        (point,) = site.points.values()
        assert point.states == tuple(state for state in states if state)


@FUZZ
@given(
    rows=st.lists(st.lists(st.one_of(WORDS, st.integers(0, 400).map(str)), max_size=17), max_size=6),
    raw=st.one_of(st.none(), st.binary(max_size=200)),
)
def test_whatever_stands_in_an_ede_file(tmp_path: Path, rows: list[list[str]], raw: bytes | None) -> None:
    file = tmp_path / "x_EDE.csv"
    text = "\n".join(";".join(row) for row in [["# keyname"], *rows]).encode("utf-8", "surrogatepass")
    file.write_bytes(text if raw is None else raw)

    async def gathered() -> list[Found]:
        return [each async for each in ede_findings(EdeFiles(file, file, "10.0.0.4/24"))]

    try:
        found = asyncio.run(gathered())
    except ConfigError:
        return
    compiled(tmp_path / "site", "bacnet", found)


def test_a_device_at_two_ids_is_what_check_tells(tmp_path: Path) -> None:
    device = FoundDevice("one", {"host": "10.0.0.5"}, {"unit": 1}, "")
    point = FoundPoint(
        *("one", "x", PointKind.SENSOR, ValueType.NUMBER, "none"),
        *({"table": "input", "register": 0, "type": "uint16"}, "", ""),
    )
    found: list[Found] = [device, device._replace(id="two"), point, point._replace(device="two")]
    with pytest.raises(ConfigError, match="'two' has addresses that 'one' has on the same link"):
        compiled(tmp_path / "site", "modbus", found)
