"""The table for the building's IT: every peer of a site, none of its secrets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.cli.ports import amount, flows_of, uses_of
from controller.cli.service import deployment
from controller.cli.site_folder import load_site
from controller.core.alarm import Priority
from controller.core.alarm_route import Route, Rung
from controller.core.lamp_messages import LampMessages
from controller.core.site import Alarming, InfluxDatabase, Site
from drivers.modbus.connection import ModbusConnection

DEMO = Path(__file__).resolve().parents[3] / "config" / "sites" / "demo"


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(DEMO)


def test_every_wire_of_the_site_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ports", str(DEMO), "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert [(each["purpose"], each["peer"], each["port"]) for each in told] == [
        ("link plant", "127.0.0.1", 5020),
        ("link lighting", "127.0.0.1", 5021),
        ("link meters", "127.0.0.1", 5022),
        ("link panel", "127.0.0.1", 5023),
    ]
    assert all(each["bytes_per_day"] > 1e6 for each in told)
    assert not any(each["is_inbound"] or each["encrypted"] for each in told)


def test_people_read_it_in_their_language(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["ports", str(DEMO)]) == Exit.OK
    assert "Nothing else is opened." in capsys.readouterr().out
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "zh")
    assert main(["ports", str(DEMO)]) == Exit.OK
    assert "除此之外不开放任何端口" in capsys.readouterr().out


def test_history_and_messages_are_told_and_their_secrets_are_not(site: Site) -> None:
    influx = InfluxDatabase("https://influx.example.org/x", "estate", "tidewatt", "s3cret")
    routes = (Route("duty", Priority.HIGH, (Rung("wecombot://s3cret"), Rung("wecombot://other", timedelta(1)))),)
    uses = list(uses_of(replace(site, influx=influx, alarms=Alarming(routes=routes))))
    history, messages = uses[-2:]
    assert (history.flow.peer, history.flow.port, history.flow.encrypted) == ("influx.example.org", 443, True)
    assert (messages.purpose.en, messages.flow.peer, messages.flow.port) == ("alarms duty", "wecombot", None)
    assert "s3cret" not in str(uses)


def test_the_robots_of_lamp_times_are_told_and_their_keys_are_not(site: Site) -> None:
    to = "https://robot.example.org/send?key=s3cret"
    lamps = LampMessages(Path("places.csv"), time(8), to, 30.0, answers="https://a.example.org", escalate_to=to + "2")
    uses = list(uses_of(replace(site, lamp_messages=lamps)))
    assert (uses[-1].purpose.en, uses[-1].flow.peer, uses[-1].flow.port) == ("lamp times", "robot.example.org", 443)
    assert len([each for each in uses if each.purpose == uses[-1].purpose]) == 1
    assert "s3cret" not in str(uses)


def test_a_device_that_is_polled_faster_for_its_urgent_points_takes_more(site: Site) -> None:
    link = next(each for each in site.links if any(device.urgent for device in each.devices))
    (usual,) = flows_of(link)
    faster = tuple(replace(each, urgent_every=timedelta(milliseconds=200)) for each in link.devices)
    (more,) = flows_of(replace(link, devices=faster))
    assert usual.bytes_per_day is not None
    assert more.bytes_per_day is not None
    assert more.bytes_per_day > 2 * usual.bytes_per_day


def test_a_driver_that_does_not_tell_is_named(site: Site) -> None:
    link = replace(site.links[0], driver=replace(site.links[0].driver, flows=None))
    (unknown,) = flows_of(link)
    assert (unknown.port, unknown.note.en) == (None, "this driver does not tell")


def test_a_serial_line_opens_the_devices_of_the_unit(site: Site) -> None:
    line = replace(site.links[0], connection=ModbusConnection(serial="/dev/ttyUSB0"))
    assert not deployment(site, "demo", "tidewatt").uses_serial
    assert deployment(replace(site, links=(line,)), "demo", "tidewatt").uses_serial


@pytest.mark.parametrize(
    "bytes_per_day, words", [(999.0, "999 B"), (4_321.0, "4.32 kB"), (15.1e6, "15.1 MB"), (2.5e9, "2.5 GB")]
)
def test_amounts_are_told_as_networks_count(bytes_per_day: float, words: str) -> None:
    assert amount(bytes_per_day) == words
