"""A site with one device of a template, and the driver that speaks to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from controller.core.point import PointId
from controller.core.ports import Driver
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.settings.compile import compile_site
from drivers import driver_kind
from strategies import strategy_kind
from tests.hand_clock import HandClock

TEMPLATES = Path(__file__).resolve().parents[2] / "config" / "templates"
NAMES = sorted(path.relative_to(TEMPLATES).with_suffix("").as_posix() for path in TEMPLATES.rglob("*.y*ml"))

# What a link of each driver says, and a device on it.
CONNECTIONS: dict[str, dict[str, object]] = {
    "modbus": {"host": "127.0.0.1"},
    "bacnet": {"interface": "127.0.0.2/32"},
    "opcua": {"url": "opc.tcp://127.0.0.1:4840"},
    "mqtt": {"host": "127.0.0.1"},
    "memory": {},
    "boptest": {"url": "http://127.0.0.1:80"},
}
ADDRESSES: dict[str, dict[str, object]] = {
    "modbus": {"unit": 1},
    "bacnet": {"device": "127.0.0.3"},
    "opcua": {"prefix": "ns=2;s=Device."},
    "mqtt": {"topic": "site/device"},
    "memory": {},
    "boptest": {},
}
BACNET_LOOPBACK: dict[str, object] = {
    "interface": "127.0.0.1/32",
    "port": 0,
}  # to a device on another port of this host


@cache
def content(name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load((TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")))


def site_of(
    name: str,
    folder: Path,
    connection: Mapping[str, object] | None = None,
    address: Mapping[str, object] | None = None,
) -> Site:
    """All its equipment is in area `area`, and in one system. connection, address: where the device really is."""
    template = content(name)
    driver = template["driver"]
    equipment = {local: f"area.{local}" for local in template["equipment"]}
    written = [
        equipment[local]
        for local, entry in template["equipment"].items()
        if any("writable" in point for point in entry["points"].values())
    ]
    system = {"id": "all", "name": {"en": "All", "zh": "全部"}, "points": written, "release_within": "1min"}
    device = {"id": "device", "template": name, "address": dict(address or ADDRESSES[driver]), "equipment": equipment}
    link = {
        "id": "link",
        "driver": driver,
        "connection": dict(connection or CONNECTIONS[driver]),
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


@asynccontextmanager
async def opened(site: Site) -> AsyncGenerator[Driver]:
    link = site.links[0]
    async with link.driver.open(link.id, link.connection, link.bindings, HandClock()) as driver:
        yield driver


async def values(driver: Driver, *points: str) -> list[Scalar | None]:
    ids = [PointId(f"area.{point}") for point in points]
    samples = await driver.read(ids)
    return [samples[id].value for id in ids]
