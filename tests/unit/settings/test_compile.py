"""A site folder as the core's objects."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.core.command import Priority
from controller.core.doubt import Doubt
from controller.core.point import (
    DeviceTimeout,
    Effect,
    Heartbeat,
    Limits,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    RemoteBit,
    Restore,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.site import InfluxDatabase, Link, Site
from controller.core.strategy import Mode, Position, Role, Strategy
from controller.core.system import Authority, Condition, Permissive, ReleaseStep
from controller.core.text import Text
from controller.core.units import Unit
from controller.settings.compile import compile_site
from drivers import driver_kind
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from simulator.tags import TAGS
from strategies import strategy_kind
from strategies.tidal_lighting import Parameters, TidalLighting
from tests.unit.settings.conftest import Edit, Told, compiled

CONFIG = Path(__file__).resolve().parents[3] / "config"

SETPOINT = PointId("plant.chiller_1.chilled_water_temperature_setpoint")
BRIGHTNESS = PointId("garage.group_2.brightness_command")
HEARTBEAT = PointId("plant.gateway_1.heartbeat")


def writable(site: Site, point: str) -> Writable:
    found = site.points[PointId(point)].writable
    assert found is not None
    return found


def address(site: Site, point: str) -> ModbusAddress:
    return next(
        binding.address for link in site.links for binding in link.bindings if binding.point.id == PointId(point)
    )


# --- the site -----------------------------------------------------------------------------------------------------


def test_a_site_says_where_it_is_and_how_it_starts(site: Path) -> None:
    found = compiled(site)
    assert found.folder == site
    assert found.name == "Small site"
    assert found.position == Position(22.5, 114.1, 10)
    assert found.zone == ZoneInfo("Asia/Shanghai")
    assert found.scan_every == timedelta(seconds=1)
    assert found.first_authority is Authority.TIDEWATT
    assert found.equipment == {
        "plant.gateway_1": "gateway",
        "plant.chiller_1": "chiller",
        "garage.group_1": "lighting_group",
        "garage.group_2": "lighting_group",
    }


def test_a_new_site_starts_with_its_own_controls(site: Path, edit: Edit) -> None:
    edit("site.yaml", "authority_at_first_start: tidewatt\n", "")
    assert compiled(site).first_authority is Authority.ORIGINAL


# --- links, devices, points -------------------------------------------------------------------------------------------


def test_a_link_has_its_connection_and_devices(site: Path) -> None:
    plant, lighting = compiled(site).links
    assert plant.driver.name == "modbus"
    assert plant.connection == ModbusConnection("10.0.0.5", 502)
    assert [device.id for device in lighting.devices] == ["ramp", "deck"]
    assert plant.devices[0].poll_every == timedelta(seconds=2)
    assert lighting.devices[1].points == tuple(
        PointId(f"garage.group_2.{quantity}")
        for quantity in ("brightness_command", "brightness", "motion", "illuminance")
    )


def test_two_devices_of_one_template_differ_by_what_they_say(site: Path) -> None:
    found = compiled(site)
    assert address(found, "garage.group_1.illuminance") == ModbusAddress(1, "input", 1, "uint16")
    assert address(found, "garage.group_2.illuminance") == ModbusAddress(2, "input", 1, "uint16")


def test_a_point_has_the_meaning_of_its_quantity(site: Path) -> None:
    points = compiled(site).points
    assert points[PointId("plant.chiller_1.power")] == Point(
        PointId("plant.chiller_1.power"),
        PointKind.SENSOR,
        Unit.KILOWATT,
        stale_after=timedelta(seconds=10),
        plausible=Range(0, 400),
        tags={"brick": "Electric_Power_Sensor"},
    )
    motion = points[PointId("garage.group_1.motion")]
    assert (motion.kind, motion.type, motion.urgent) == (PointKind.STATUS, ValueType.BOOLEAN, True)


def test_a_point_is_doubted_in_its_own_unit(site: Path, edit: Edit) -> None:
    edit(
        "templates/test/plant.yaml",
        "        stale_after: 10s\n",
        "        stale_after: 10s\n        plausible_rate: 50000\n        frozen_after: 2h\n",
    )
    points = compiled(site).points
    assert points[PointId("plant.chiller_1.power")].doubt == Doubt(timedelta(hours=2), plausible_rate=50.0)
    assert points[PointId("plant.chiller_1.status")].doubt is None


def test_a_point_is_stale_after_its_own_time_else_the_template_s_else_half_a_minute(site: Path) -> None:
    points = compiled(site).points
    assert points[PointId("plant.chiller_1.power")].stale_after == timedelta(seconds=10)
    assert points[PointId("garage.group_1.motion")].stale_after == timedelta(seconds=20)
    assert points[PointId("plant.chiller_1.status")].stale_after == timedelta(seconds=30)


def test_every_number_of_a_template_becomes_ours(site: Path) -> None:
    """41 to 59 degF are 5 to 15 degC; differences know no offset."""
    found = compiled(site)
    point = found.points[SETPOINT]
    assert point.plausible == Range(0, 30)
    assert point.cov_increment == 0.1
    assert point.writable == Writable(
        range=Range(5, 15),
        release=Restore(Range(6, 10)),
        on_silence=NothingHappens(),
        readback=SETPOINT,
        tolerance=0.1,
        limits=Limits(maximum_rate=0.5),
    )
    assert point.writable is not None
    assert point.writable.limits.source == "Gateway manual, B, 14"
    assert address(found, SETPOINT).scale == pytest.approx(0.1 * 5 / 9)
    assert address(found, SETPOINT).offset == pytest.approx(-160 / 9)
    assert address(found, "plant.chiller_1.power").scale == 0.001


def test_a_command_says_how_it_is_let_go_and_believed(site: Path) -> None:
    remote, heartbeat = PointId("plant.chiller_1.remote"), Heartbeat(HEARTBEAT, timedelta(seconds=60))
    found = compiled(site)
    assert writable(found, "plant.chiller_1.enable_command") == Writable(
        range=Range(0, 1),
        release=RemoteBit(remote),
        on_silence=heartbeat,
        readback=PointId("plant.chiller_1.enable_command"),
        effect=Effect(PointId("plant.chiller_1.status"), timedelta(minutes=5)),
        limits=Limits(minimum_on=timedelta(minutes=15), minimum_off=timedelta(minutes=10)),
    )
    assert writable(found, remote).release == SafeValue(False)
    assert writable(found, HEARTBEAT).on_silence == heartbeat
    assert found.points[HEARTBEAT].type is ValueType.INTEGER


def test_lamps_let_go_towards_on_and_may_always_rise(site: Path) -> None:
    assert writable(compiled(site), BRIGHTNESS) == Writable(
        range=Range(0.05, 1),
        release=SafeValue(1.0),
        on_silence=DeviceTimeout(timedelta(seconds=30)),
        readback=PointId("garage.group_2.brightness"),
        tolerance=0.01,
        settle=timedelta(seconds=8),
        limits=Limits(brighter_is_safe=True),
    )


def test_a_simulated_device_brings_its_clock_beside_its_points(site: Path) -> None:
    found = compiled(site)
    plant, lighting = found.links
    clock = plant.devices[0].simulation
    assert clock is not None
    ids = {clock.nonce, clock.time, clock.speed}
    assert ids == {PointId(f"simulation.plant_gateway.{name}") for name in ("nonce", "time", "speed")}
    assert ids <= {binding.point.id for binding in plant.bindings}
    assert not ids & set(found.points)
    assert not ids & set(plant.devices[0].points)
    assert lighting.devices[0].simulation is None


def test_equipment_of_a_template_may_be_absent(site: Path, edit: Edit) -> None:
    edit("devices.yaml", "chiller: plant.chiller_1", "chiller: none")
    edit("site.yaml", "points: [plant.chiller_1, plant.gateway_1]", "points: [plant.gateway_1]")
    text = (site / "site.yaml").read_text(encoding="utf-8")
    start, end = text.index("    release_order"), text.index("  - id: garage")
    (site / "site.yaml").write_text(text[:start] + text[end:], encoding="utf-8")
    found = compiled(site)
    assert "plant.chiller_1" not in found.equipment
    assert not [point for point in found.points if point.startswith("plant.chiller_1")]


# --- systems ------------------------------------------------------------------------------------------------------


def test_a_system_has_what_is_written_and_lets_go_in_its_order(site: Path) -> None:
    plant, garage = compiled(site).systems
    status, chiller = PointId("plant.chiller_1.status"), "plant.chiller_1"
    commands = (PointId(f"{chiller}.remote"), PointId(f"{chiller}.enable_command"), SETPOINT)
    assert plant.name == Text("Plant", "机房")
    assert plant.points == (*commands, HEARTBEAT)
    assert plant.release_within == timedelta(minutes=10)
    assert plant.release == (
        ReleaseStep(commands),
        ReleaseStep((HEARTBEAT,), (Condition(status, False, timedelta(minutes=3)),)),
    )
    assert plant.permissives == (
        Permissive(PointId(f"{chiller}.enable_command"), Condition(PointId(f"{chiller}.tripped"), False)),
    )
    assert garage.release == (ReleaseStep(garage.points),)
    assert garage.yield_for == timedelta(minutes=15)


# --- strategies ---------------------------------------------------------------------------------------------------


def test_a_strategy_is_mounted_on_the_points_of_its_equipment(site: Path) -> None:
    (mount,) = compiled(site).mounts
    assert (mount.id, mount.kind.name, mount.mode) == ("garage", "tidal_lighting", Mode.AUTO)
    assert (mount.priority, mount.lease) == (Priority.STRATEGY, timedelta(seconds=30))
    assert isinstance(mount.strategy, TidalLighting)
    assert set(mount.roles) == set(mount.strategy.inputs) | set(mount.strategy.outputs)
    assert mount.roles[Role("groups", 1, "brightness_command")] == BRIGHTNESS


def test_parameters_are_checked_by_their_type(site: Path) -> None:
    seen: list[Parameters] = []
    kind = strategy_kind("tidal_lighting")

    def build(parameters: Parameters, counts: Mapping[str, int]) -> Strategy[Any]:
        seen.append(parameters)
        return kind.build(parameters, counts)

    compile_site(site, site / "templates", driver_kind, lambda _: replace(kind, build=build))
    (parameters,) = seen
    assert parameters.hold_time == timedelta(minutes=2)
    assert [str(peak.start) for peak in parameters.weekday_peaks] == ["07:30:00"]
    assert parameters.neighbours == ((1, 2),)


# --- secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_is_followed_where_a_connection_needs_it(site: Path, edit: Edit) -> None:
    (site / "host").write_text("10.9.8.7\n")
    edit("devices.yaml", "host: 10.0.0.5", "host: !env SECRET")
    edit("devices.yaml", "host: 10.0.0.6", "host: !file host")
    plant, lighting = compiled(site).links
    assert plant.connection.host == "hunter2"
    assert lighting.connection.host == "10.9.8.7"


INFLUX = """historian:
  influxdb:
    url: http://10.0.0.5:8086/
    organisation: estate
    bucket: tidewatt
"""


def test_a_database_that_history_is_copied_to(site: Path, edit: Edit) -> None:
    assert compiled(site).influx is None
    edit("site.yaml", "systems:\n", f"{INFLUX}systems:\n")
    assert compiled(site).influx == InfluxDatabase("http://10.0.0.5:8086", "estate", "tidewatt")


@pytest.mark.parametrize("reference", ["!env SECRET", "!file token"])
def test_its_token_is_never_shown(reference: str, site: Path, edit: Edit) -> None:
    (site / "token").write_text("hunter2\n")
    edit("site.yaml", "systems:\n", f"{INFLUX}    token: {reference}\nsystems:\n")
    database = compiled(site).influx
    assert database is not None
    assert database.token == "hunter2"
    assert "hunter2" not in repr(compiled(site))


@pytest.mark.parametrize("secret", ["", "two words", "冷", "line\nbreak"])
def test_what_is_no_token_is_told_without_showing_it(secret: str, site: Path, edit: Edit, told: Told) -> None:
    (site / "token").write_text(secret)
    edit("site.yaml", "systems:\n", f"{INFLUX}    token: !file token\nsystems:\n")
    assert told() == [
        "site.yaml:12: what the secret holds is no token (it is empty, or has spaces, line breaks or other signs); "
        "check the secret; a token is one word"
    ]


# --- the digest ---------------------------------------------------------------------------------------------------


def test_the_digest_does_not_depend_on_place_order_or_remarks(site: Path, edit: Edit, tmp_path: Path) -> None:
    before = compiled(site).digest
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(site, elsewhere)
    edit("site.yaml", "tidewatt: 1\nname: Small site\n", "# a remark\nname: 'Small site'\ntidewatt: 1\n")
    edit("site.yaml", "scan_every: 1s\n", "")
    assert compiled(elsewhere).digest == compiled(site).digest == before
    assert len(before) == 16


@pytest.mark.parametrize(
    "file, old, new",
    [
        ("site.yaml", "release_within: 5s", "release_within: 6s"),
        ("devices.yaml", "port: 502", "port: 503"),
        ("strategies.yaml", "peak_brightness: 0.5", "peak_brightness: 0.6"),
        ("templates/test/plant.yaml", "range: [41, 59]", "range: [41, 58]"),
        ("devices.yaml", "host: 10.0.0.5", "host: !env SECRET"),
    ],
)
def test_the_digest_tells_a_change(file: str, old: str, new: str, site: Path, edit: Edit) -> None:
    before = compiled(site).digest
    edit(file, old, new)
    assert compiled(site).digest != before


def test_the_digest_knows_no_secret(site: Path, edit: Edit) -> None:
    edit("devices.yaml", "host: 10.0.0.5", "host: !env SECRET")
    digests = {
        compile_site(site, site / "templates", driver_kind, strategy_kind, environment={"SECRET": secret}).digest
        for secret in ("one", "two")
    }
    assert len(digests) == 1


# --- the demonstration site ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> Site:
    return compile_site(CONFIG / "sites" / "demo", CONFIG / "templates", driver_kind, strategy_kind)


def wired(site: Site) -> list[Link]:
    return [link for link in site.links if not link.driver.is_virtual]


def test_the_demo_has_every_point_that_the_simulator_serves(demo: Site) -> None:
    served = {str(point) for link in wired(demo) for device in link.devices for point in device.points}
    added = ("garage.lighting_", "garage.sensor_lamps_", "outdoor.lighting_2", "office.row_")
    # The panel of the lamps that came later has counters, and neither power meters nor selectors.
    left_out = {tag for tag in TAGS if tag.startswith(added) and tag.endswith((".power", ".local"))}
    assert served == set(TAGS) - left_out - {"plant.chiller_1.trip_count"}
    assert set(demo.points) - served == {"plant.chilled_water_plant_1.mode"}


def test_the_demo_writes_what_the_simulator_takes(demo: Site) -> None:
    for point in (demo.points[id_] for link in wired(demo) for device in link.devices for id_ in device.points):
        tag = TAGS[point.id]
        assert tag.writable == (point.writable is not None), point.id
        assert (tag.kind is bool) == (point.type is ValueType.BOOLEAN), point.id
        if point.writable is not None and tag.kind is float:
            assert (tag.low, tag.high) == point.writable.range, point.id


def test_the_demo_exercises_every_spelling_of_a_value(demo: Site) -> None:
    addresses = [binding.address for link in wired(demo) for binding in link.bindings]
    assert {each.table for each in addresses} == {"coil", "discrete", "input", "holding"}
    assert {each.type for each in addresses} >= {"bool", "int16", "uint16", "int32", "uint32", "float32", "float64"}
    assert {each.word_order for each in addresses} == {each.byte_order for each in addresses} == {"big", "little"}
    assert {each.bit for each in addresses} > {None, 0}
    assert all(device.simulation is not None for link in wired(demo) for device in link.devices)


def test_the_demo_is_in_our_hands_from_the_start(demo: Site) -> None:
    assert demo.first_authority is Authority.TIDEWATT
    assert [system.id for system in demo.systems] == ["plant", "garage", "outdoor", "office"]
    lighting = {"tidal_lighting", "sunset_lighting", "daylight_lighting"}
    assert {mount.kind.name for mount in demo.mounts} == lighting | {"chilled_water_storage"}
