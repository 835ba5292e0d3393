"""Every change of a site is told by the name of what was changed, and nothing that is secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.core.configuration_difference import differences
from controller.core.point import Limits, Range, SafeValue
from controller.core.reconfiguration import reconfiguration
from controller.core.site import ForecastTarget, InfluxDatabase, Site
from controller.core.strategy import Mode
from tests.bench import BRIGHTNESS, CHILLER, DEMAND, HEARTBEAT, LAMP_REMOTE, PUMP, Bench, with_system
from tests.real_bench import on_a_wire


@dataclass(frozen=True)
class Parameters:
    off_peak_brightness: float = 0.25


@dataclass(frozen=True)
class Wire:
    host: str = "10.0.0.1"
    timeout: timedelta = timedelta(seconds=3)
    password: str = field(default="", repr=False)


def bench_site(tmp_path: Path) -> Site:
    site = Bench(tmp_path).site()
    links = tuple(on_a_wire(replace(link, connection=Wire())) for link in site.links)
    mounts = tuple(replace(each, parameters=Parameters()) for each in site.mounts)
    return replace(site, links=links, mounts=mounts)


def with_written(site: Site, id_: Any, **changes: Any) -> Site:
    point = site.points[id_]
    assert point.writable is not None
    point = replace(point, writable=replace(point.writable, **changes))
    links = tuple(
        replace(
            link,
            bindings=tuple(replace(each, point=point) if each.point.id == id_ else each for each in link.bindings),
        )
        for link in site.links
    )
    return replace(site, points={**site.points, id_: point}, links=links)


def with_link(site: Site, **changes: Any) -> Site:
    first, *others = site.links
    return replace(site, links=(replace(first, **changes), *others))


def with_mount(site: Site, **changes: Any) -> Site:
    return replace(site, mounts=tuple(replace(each, **changes) for each in site.mounts))


CHANGES: list[tuple[Callable[[Site], Site], str]] = [
    (
        lambda site: with_mount(site, parameters=Parameters(0.3)),
        "strategy desk: parameter off_peak_brightness 0.25 -> 0.3",
    ),
    (lambda site: with_mount(site, mode=Mode.SHADOW), "strategy desk: mode auto -> shadow"),
    (lambda site: replace(site, mounts=()), "strategy desk: removed"),
    (lambda site: with_link(site, connection=Wire("10.0.0.9")), "link lights: host 10.0.0.1 -> 10.0.0.9"),
    (lambda site: with_link(site, connection=Wire(password="geheim")), "link lights: password changed"),
    (
        lambda site: with_written(site, BRIGHTNESS, range=Range(0.2, 1.0)),
        "point garage.group_1.brightness_command: writable range 0.1 to 1 -> 0.2 to 1",
    ),
    (
        lambda site: with_written(site, CHILLER, limits=Limits(minimum_on=timedelta(minutes=5))),
        "point plant.chiller_1.enable_command: writable limits minimum_on 600s -> 300s",
    ),
    (
        lambda site: replace(site, systems=with_system(site.systems, "garage", yield_for=timedelta(minutes=1))),
        "system garage: yield_for 900s -> 60s",
    ),
    (lambda site: replace(site, scan_every=timedelta(seconds=2)), "site: scan_every 1s -> 2s"),
    (lambda site: replace(site, forecasts=(ForecastTarget(DEMAND, None),)), "forecast garage.desk_1.demand: added"),
    (lambda site: replace(site, influx=InfluxDatabase("http://db", "o", "b", "geheim")), "database influxdb: added"),
    (lambda site: replace(site, links=site.links[1:]), "device lights_gateway: removed (with 4 points)"),
    (lambda site: replace(site, digest="other"), "the configuration is spelt otherwise and means the same"),
]


@pytest.mark.parametrize("change, told", CHANGES, ids=[told for _, told in CHANGES])
def test_a_change_is_told(tmp_path: Path, change: Callable[[Site], Site], told: str) -> None:
    site = bench_site(tmp_path)
    assert differences(site, site) == []
    found = differences(site, change(site))
    assert told in [each.en for each in found]
    assert "geheim" not in str(found)


def test_chinese_says_the_same(tmp_path: Path) -> None:
    site = bench_site(tmp_path)
    (only,) = differences(site, with_mount(site, parameters=Parameters(0.3)))
    assert only.zh == "策略 desk：parameter off_peak_brightness 0.25 -> 0.3"


def test_tuning_and_limits_move_nothing(tmp_path: Path) -> None:
    """A time-out, a range, a minimum time: what is held stays held."""
    site = bench_site(tmp_path)
    patient = with_link(site, connection=Wire(timeout=timedelta(seconds=9)))
    for other in (patient, with_written(site, BRIGHTNESS, range=Range(0.2, 1.0)), with_mount(site, mode=Mode.OFF)):
        change = reconfiguration(site, other)
        assert (change.let_go, change.moved_devices) == (frozenset(), frozenset())
        assert change.unmoved == site.points.keys()


def test_what_is_written_otherwise_is_let_go_with_all_that_hangs_on_it(tmp_path: Path) -> None:
    site = bench_site(tmp_path)
    assert reconfiguration(site, with_written(site, PUMP, release=SafeValue(False))).let_go == {PUMP}
    on_the_bit = reconfiguration(site, with_written(site, LAMP_REMOTE, release=SafeValue(True))).let_go
    assert on_the_bit == {LAMP_REMOTE, BRIGHTNESS}
    on_the_heartbeat = reconfiguration(site, with_written(site, HEARTBEAT, release=SafeValue(1))).let_go
    plant = next(system for system in site.systems if system.id == "plant")
    assert on_the_heartbeat == set(plant.points)


def test_another_address_is_another_device(tmp_path: Path) -> None:
    site = bench_site(tmp_path)
    change = reconfiguration(site, with_link(site, connection=Wire("10.0.0.9")))
    assert change.let_go == {BRIGHTNESS, LAMP_REMOTE}
    assert change.moved_devices == {"lights_gateway"}
    assert DEMAND not in change.unmoved


def test_a_link_is_the_same_only_with_all_that_its_driver_was_opened_with(tmp_path: Path) -> None:
    site = bench_site(tmp_path)
    both = {link.id for link in site.links}
    assert reconfiguration(site, bench_site(tmp_path)).same_links == both
    assert reconfiguration(site, with_mount(site, mode=Mode.OFF)).same_links == both
    first = site.links[0]
    (device,) = first.devices
    for changed in (
        {"connection": Wire(password="other")},
        {"connection": Wire(timeout=timedelta(seconds=9))},
        {"devices": (replace(device, poll_every=timedelta(seconds=2)),)},
        {"driver": replace(first.driver, name="other")},
        {"bindings": with_written(site, BRIGHTNESS, range=Range(0.2, 1.0)).links[0].bindings},
        {"bindings": first.bindings[1:]},
        {"id": "other"},
    ):
        assert reconfiguration(site, with_link(site, **changed)).same_links == both - {first.id}
