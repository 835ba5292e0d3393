"""Every device template compiles, names its source, and says of everything writable how far it goes and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from controller.core.point import SafeValue
from controller.core.site import Site
from controller.settings.compile import compile_site
from drivers import driver_kind
from strategies import strategy_kind

TEMPLATES = Path(__file__).resolve().parents[2] / "config" / "templates"
NAMES = sorted(path.relative_to(TEMPLATES).with_suffix("").as_posix() for path in TEMPLATES.rglob("*.y*ml"))

# What a link of each driver says, and a device on it.
CONNECTIONS: dict[str, dict[str, object]] = {
    "modbus": {"host": "127.0.0.1"},
    "bacnet": {"interface": "127.0.0.2/32"},
    "opcua": {"url": "opc.tcp://127.0.0.1:4840"},
    "mqtt": {"host": "127.0.0.1"},
    "memory": {},
}
ADDRESSES: dict[str, dict[str, object]] = {
    "modbus": {"unit": 1},
    "bacnet": {"device": "127.0.0.3"},
    "opcua": {"prefix": "ns=2;s=Device."},
    "mqtt": {"topic": "site/device"},
    "memory": {},
}


def content(name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load((TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")))


def site_of(name: str, folder: Path) -> Site:
    """A site with one device of this template, all its equipment in one system."""
    template = content(name)
    equipment = {local: f"area.{local}" for local in template["equipment"]}
    written = [
        equipment[local]
        for local, entry in template["equipment"].items()
        if any("writable" in point for point in entry["points"].values())
    ]
    system = {"id": "all", "name": {"en": "All", "zh": "全部"}, "points": written, "release_within": "1min"}
    device = {"id": "device", "template": name, "address": ADDRESSES[template["driver"]], "equipment": equipment}
    link = {
        "id": "link",
        "driver": template["driver"],
        "connection": CONNECTIONS[template["driver"]],
        "devices": [device],
    }
    files: dict[str, dict[str, object]] = {
        "site.yaml": {
            "tidewatt": 1,
            "name": "Test",
            "position": {"latitude": 0, "longitude": 0},
            "time_zone": "Etc/UTC",
            "systems": [system] if written else [],
        },
        "devices.yaml": {"links": [link]},
    }
    for file, tree in files.items():
        (folder / file).write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return compile_site(folder, TEMPLATES, driver_kind, strategy_kind)


def test_there_are_templates() -> None:
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_compiles_as_a_whole(name: str, tmp_path: Path) -> None:
    site = site_of(name, tmp_path)
    points = [
        f"area.{local}.{point}" for local, entry in content(name)["equipment"].items() for point in entry["points"]
    ]
    assert [str(point) for point in site.points] == points
    assert len(site.links[0].bindings) == len(points) + (3 if site.links[0].devices[0].simulation else 0)


@pytest.mark.parametrize("name", NAMES)
def test_it_names_its_source(name: str) -> None:
    source = content(name)["source"]
    assert source == "generic" or all(source[key] for key in ("title", "revision", "page"))


@pytest.mark.parametrize("name", NAMES)
def test_everything_writable_has_limits_and_an_end(name: str, tmp_path: Path) -> None:
    site = site_of(name, tmp_path)
    for point in site.points.values():
        if point.writable is None:
            continue
        limits, release = point.writable.range, point.writable.release
        assert limits.low < limits.high
        assert point.writable.readback in site.points
        assert not isinstance(release, SafeValue) or limits.holds(float(release.value))
        assert [point.id in step.points for system in site.systems for step in system.release] == [True]


@pytest.mark.parametrize("name", NAMES)
def test_everything_measured_in_a_unit_has_a_plausible_range_unless_it_counts(name: str) -> None:
    """A frozen or garbled value is found by its range; counters have no end."""
    bare = [
        f"{local}.{quantity}"
        for local, entry in content(name)["equipment"].items()
        for quantity, point in entry["points"].items()
        if "unit" in point and "plausible" not in point and "writable" not in point
    ]
    assert [point for point in bare if not point.endswith("energy")] == []
