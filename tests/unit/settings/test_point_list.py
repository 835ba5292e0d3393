"""points.csv: the points of a device as integrators deliver them, in one table."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.point import Heartbeat, Limits, PointId, PointKind, Range, RemoteBit, Restore, SafeValue, ValueType
from controller.core.units import Unit
from tests.unit.settings.conftest import Edit, Told, compiled

LINK = """\
links:
  - id: tower
    driver: modbus
    connection: {host: 10.0.0.9}
    devices:
      - {id: pump_drive, points: points.csv, address: {unit: 3}, poll_every: 2s}
      - {id: meters, points: points.csv, address: {unit: 4}}
"""
LIST = """\
device,point,class,title,kind,type,unit,plausible_low,plausible_high,urgent,address.table,address.register,address.type,address.scale,range_low,range_high,release,remote_bit,safe_value,restore_low,restore_high,on_silence,device_timeout,heartbeat,heartbeat_after,readback,tolerance,effect_point,effect_within,minimum_on
pump_drive,plant.pump_9.remote,pump,远程,,,,,,,coil,0,,,0,1,,,false,,,,,plant.gateway_9.heartbeat,60s,,,,,
pump_drive,plant.pump_9.command,,启停,,,,,,,coil,1,,,0,1,remote_bit,plant.pump_9.remote,,,,heartbeat,,plant.gateway_9.heartbeat,60s,,,plant.pump_9.status,5min,10min
pump_drive,plant.pump_9.status,,,,,,,,,discrete,0,,,,,,,,,,,,,,,,,,
pump_drive,plant.gateway_9.heartbeat,gateway,,,,,,,,holding,0,uint16,,0,65535,,,0,,,,,plant.gateway_9.heartbeat,60s,,,,,
meters,found.meter_9.setpoint,,设定值,setpoint,,degC,0,40,,holding,0x10,int16,0.1,5,15,restore,,,6,10,none,,,,,0.1,,,
meters,found.meter_9.power,,"Feeder 1, ""north"" side",sensor,,W,0,400000,,input,0,int32,,,,,,,,,,,,,,,,,
meters,found.meter_9.motion,,,status,boolean,,,,TRUE,discrete,7,,,,,,,,,,,,,,,,,,
"""
COLUMNS = LIST.partition("\n")[0].split(",")


@pytest.fixture(autouse=True)
def with_a_list(site: Path, edit: Edit) -> None:
    (site / "points.csv").write_text(LIST, encoding="utf-8")
    edit("devices.yaml", "links:\n", LINK)
    edit(
        "site.yaml",
        "points: [plant.chiller_1, ",
        "points: [plant.pump_9, plant.gateway_9, found.meter_9, plant.chiller_1, ",
    )
    edit(
        "site.yaml",
        "      - points: [plant.chiller_1]",
        "      - points: [plant.pump_9, plant.gateway_9, found.meter_9, plant.chiller_1]",
    )


def test_a_row_is_a_point(site: Path) -> None:
    made = compiled(site)
    assert made.equipment["plant.pump_9"] == "pump"
    assert made.equipment["found.meter_9"] == "unclassified"
    power = made.points[PointId("found.meter_9.power")]
    assert (power.kind, power.unit, power.type) == (PointKind.SENSOR, Unit.KILOWATT, ValueType.NUMBER)
    assert power.plausible == Range(0, 400), "in the inside unit"
    assert power.tags == {"title": 'Feeder 1, "north" side'}
    motion = made.points[PointId("found.meter_9.motion")]
    assert motion.urgent
    assert motion.type is ValueType.BOOLEAN
    drive, meters = made.links[0].devices
    assert drive.poll_every == timedelta(seconds=2)
    assert len(drive.points) == 4
    assert len(meters.points) == 3
    addresses = {binding.point.id: binding.address for binding in made.links[0].bindings}
    assert (addresses[power.id].unit, addresses[power.id].type, addresses[power.id].scale) == (4, "int32", 0.001)
    assert addresses[PointId("found.meter_9.setpoint")].register == 16


def test_a_row_says_how_its_point_is_written(site: Path) -> None:
    points = compiled(site).points
    command = points[PointId("plant.pump_9.command")].writable
    setpoint = points[PointId("found.meter_9.setpoint")].writable
    remote = points[PointId("plant.pump_9.remote")].writable
    assert command is not None
    assert setpoint is not None
    assert remote is not None
    assert command.release == RemoteBit(PointId("plant.pump_9.remote"))
    assert command.on_silence == Heartbeat(PointId("plant.gateway_9.heartbeat"), timedelta(seconds=60))
    assert command.effect is not None
    assert command.effect.within == timedelta(minutes=5)
    assert command.limits == Limits(minimum_on=timedelta(minutes=10))
    assert remote.release == SafeValue(False)
    assert setpoint.release == Restore(Range(6, 10))
    assert (setpoint.range, setpoint.tolerance) == (Range(5, 15), 0.1)


@pytest.mark.parametrize(
    "spelt",
    [
        LIST.encode("utf-8-sig"),
        LIST.encode("gbk"),
        LIST.replace("\n", "\r\n").encode("utf-8-sig"),
        LIST.replace("\n", "\r").encode(),
        (LIST + "," * 29 + "\n" * 40).encode(),
        LIST.replace("\n", ",,,\r\n").encode(),
        LIST.replace("pump_drive,plant", "  pump_drive\u3000,\u00a0plant")
        .replace("device,point", "Device, POINT")
        .encode(),
    ],
    ids=["byte order mark", "GBK", "Excel", "old Mac", "empty rows", "empty columns", "blanks"],
)
def test_every_way_of_saving_it(spelt: bytes, site: Path, told: Told) -> None:
    before = compiled(site)
    (site / "points.csv").write_bytes(spelt)
    assert told() == []
    after = compiled(site)
    assert (after.digest, after.points) == (before.digest, before.points)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(separator: str, site: Path) -> None:
    before = compiled(site).points
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(csv.reader(io.StringIO(LIST)))
    (site / "points.csv").write_text(text.getvalue(), encoding="utf-8")
    assert compiled(site).points == before


def test_the_digest_tells_a_change_of_the_list(site: Path, edit: Edit) -> None:
    before = compiled(site).digest
    edit("points.csv", "400000", "500000")
    assert compiled(site).digest != before


# --- what is wrong with it --------------------------------------------------------------------------------------------

POWER = "meters,found.meter_9.power,"
BAD = {
    "an unknown column": ("urgent", "urgnet", ["1: the column 'urgnet' is unknown; did you mean 'urgent'?"]),
    "a column of the address": (
        "address.table",
        "table",
        ["1: the column 'table' is unknown; did you mean 'address.table'?"],
    ),
    "a column of somebody's own": (
        "urgent",
        "floor",
        ["1: the column 'floor' is unknown; remove it, or call it 'remark'; docs/points.md lists the columns"],
    ),
    "a column twice": ("readback", "tolerance", ["1: the column 'tolerance' is there twice; keep one"]),
    "no column of devices": (
        "device,point,",
        "devise,point,",
        [
            "1: the column 'devise' is unknown; did you mean 'device'?",
            "1: there is no column 'device'; the first row names the columns: device, point, class, ...; "
            "docs/points.md lists them",
        ],
    ),
    "no column of points": (
        "device,point,",
        "device,remark,",
        [
            "1: there is no column 'point'; the first row names the columns: device, point, class, ...; "
            "docs/points.md lists them"
        ],
    ),
    "an unknown key of the address": (
        "address.scale",
        "address.skale",
        ["6: modbus knows no 'address.skale'; did you mean 'address.scale'?"],
    ),
    "a decimal comma": ("400000", '"400000,5"', ["7: '400000,5' has a comma; write it with a decimal point: 400000.5"]),
    "a thousands point": (
        "400000",
        '"400.000,5"',
        ["7: '400.000,5' mixes point and comma; write 'plausible_high' with a decimal point only: 1234.5"],
    ),
    "a number with its unit": (
        "400000",
        "400 kW",
        [
            "7: 'plausible_high' is '400 kW', which is no number; "
            "write the number alone; its unit stands in the column 'unit'"
        ],
    ),
    "a word for a number": ("400000", "many", ["7: 'plausible_high' is 'many', which is no number; write a number"]),
    "a formula": (
        "400000",
        "=A1*2",
        ["7: 'plausible_high' is the formula =A1*2; write its value; a point list computes nothing"],
    ),
    "a line break": (
        "设定值",
        '"设定\n值"',
        ["6: 'title' contains the control character \\n; write the cell as one line of text"],
    ),
    "half a range": (
        "degC,0,40",
        "degC,0,",
        ["6: 'plausible_low' stands without 'plausible_high'; fill 'plausible_high' too"],
    ),
    "a point that is none": (
        "found.meter_9.power",
        "Feeder 1",
        [
            "7: 'Feeder 1' is no point id; "
            "write area.equipment.quantity in lower snake case, like plant.chiller_1.status"
        ],
    ),
    "a point twice": (
        "found.meter_9.power",
        "found.meter_9.setpoint",
        ["7: 'found.meter_9.setpoint' stands on line 6 already; give one of them another name"],
    ),
    "no device": (
        POWER,
        ",found.meter_9.power,",
        ["7: the row names no device; known devices: meters, pump_drive"],
    ),
    "an unknown device": (
        POWER,
        "metres,found.meter_9.power,",
        ["7: no device 'metres' takes its points from this file; did you mean 'meters'?"],
    ),
    "an unknown class": (
        "remote,pump,",
        "remote,pumb,",
        ["2: the equipment class 'pumb' is unknown; did you mean 'pump'?"],
    ),
    "two classes": (
        "command,,",
        "command,chiller,",
        ["3: 'plant.pump_9' is of class chiller here and pump on line 2; an equipment has one class"],
    ),
    "a quantity that its class lacks": (
        "pump_drive,plant.pump_9.status",
        "pump_drive,plant.pump_9.stats",
        [
            "3: there is no point 'plant.pump_9.status' in the rows of this device; did you mean 'plant.pump_9.stats'?",
            "4: a pump has no quantity 'stats'; did you mean 'status'?",
        ],
    ),
    "no kind": (
        'north"" side",sensor',
        'north"" side",',
        ["7: 'power' is unclassified and says no kind; add kind: sensor, status, setpoint or command"],
    ),
    "an unknown kind": (
        'north"" side",sensor',
        'north"" side",meter',
        ["7: 'kind' is the text 'meter'; write one of sensor, status, setpoint, command, parameter"],
    ),
    "an unknown unit": ("sensor,,W", "sensor,,kw", ["7: the unit 'kw' is unknown; did you mean 'kW'?"]),
    "a switch that is none": ("TRUE", "maybe", ["8: 'urgent' is 'maybe'; write true or false"]),
    "a duration without a unit": (
        "60s,,,,,\npump_drive,plant.pump_9.command",
        "60,,,,,\npump_drive,plant.pump_9.command",
        ["2: '60' is no duration; write a duration with its unit, like 500ms, 90s, 10min or 1h"],
    ),
    "a register that does not exist": (
        "input,0,",
        "input,70000,",
        ["7: register 70000 does not exist; give 0 to 65535, counted from zero"],
    ),
    "a register that is no number": (
        "input,0,",
        "input,first,",
        ["7: 'address.register' is 'first', which is no number; write a number"],
    ),
    "the same address twice": (
        "discrete,7,,",
        "input,0,int32,",
        [
            "8: 'found.meter_9.motion' has the same address as 'found.meter_9.power'; "
            "every point has an address of its own"
        ],
    ),
    "a release without its value": (
        "restore,,,6,10,none",
        "restore,,,6,,none",
        ["6: 'release' is restore, but 'restore_high' is empty; fill 'restore_high'"],
    ),
    "two releases": (
        "restore,,,6,10,none",
        "restore,,7,6,10,none",
        ["6: 'safe_value' is filled, but 'release' is restore; keep one of the two"],
    ),
    "no release": (
        "5,15,restore,,,6,10,none",
        "5,15,,,,,,none",
        [
            "6: 'range_low' is filled, but nothing under 'release'; "
            "write write_null or remote_bit or safe_value or restore there"
        ],
    ),
    "a release that there is not": (
        "5,15,restore,,,6,10,none",
        "5,15,restored,,,6,10,none",
        ["6: 'release' is 'restored'; did you mean 'restore'?"],
    ),
    "no range": (
        "5,15,restore",
        ",,restore",
        ["6: 'setpoint' is writable without a range; fill 'range_low' and 'range_high': lowest and highest in degC"],
    ),
    "a sensor that is written": (
        "设定值,setpoint",
        "设定值,sensor",
        ["6: 'setpoint' is a sensor and only read; empty the columns that say how it is written"],
    ),
    "no silence": (
        "6,10,none",
        "6,10,",
        ["6: 'range_low' is filled, but nothing under 'on_silence'; write none or device_timeout or heartbeat there"],
    ),
    "a point of another device": (
        "remote_bit,plant.pump_9.remote",
        "remote_bit,plant.chiller_1.remote",
        [
            "3: there is no point 'plant.chiller_1.remote' in the rows of this device; "
            "did you mean 'plant.pump_9.remote'?"
        ],
    ),
    "a point by half its name": (
        "remote_bit,plant.pump_9.remote",
        "remote_bit,remote",
        ["3: 'remote_bit' is 'remote'; write the whole id of a point of the same device, like plant.chiller_1.status"],
    ),
    "too many cells": (
        '"Feeder 1, ""north"" side"',
        "Feeder" + 20 * ",",
        ["7: has 33 cells, the first row 30; put a text that contains the separator into quotation marks"],
    ),
    "an open quotation mark": (
        '"Feeder 1, ""north"" side"',
        '"Feeder 1, north',
        ["7: a quotation mark does not fit here; close the quotation mark, and write one inside a quoted text twice"],
    ),
    "a reserved area": (
        "found.meter_9.motion",
        "simulation.meter_9.motion",
        ["8: the area 'simulation' is Tidewatt's own; give the area another name"],
    ),
}


@pytest.mark.parametrize("old, new, expected", BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_at_its_row(old: str, new: str, expected: list[str], edit: Edit, told: Told) -> None:
    edit("points.csv", old, new)
    assert told() == [f"points.csv:{problem}" for problem in expected]


# --- between the list and the other files -----------------------------------------------------------------------------


def test_a_point_that_a_template_brings_too(site: Path, told: Told) -> None:
    with (site / "points.csv").open("a", encoding="utf-8") as file:
        file.write("meters,plant.chiller_1.power,chiller,,,,W,,,,input,9,int32\n")
    assert told() == [
        "devices.yaml:18: points.csv:9 brings 'plant.chiller_1.power' already; "
        "give one of the two equipments another id"
    ]


def test_an_equipment_on_two_devices(site: Path, told: Told) -> None:
    with (site / "points.csv").open("a", encoding="utf-8") as file:
        file.write("meters,plant.pump_9.power,pump,,,,W,,,,input,9,int32\n")
    assert told() == []
    assert PointId("plant.pump_9.power") in compiled(site).points


def test_a_device_without_rows(edit: Edit, told: Told) -> None:
    edit("devices.yaml", "{id: meters,", "{id: metres,")
    assert told() == [
        "devices.yaml:7: no row of points.csv is of the device 'metres'; did you mean 'meters'?",
    ]


def test_a_template_beside_a_list(edit: Edit, told: Told) -> None:
    edit("devices.yaml", "{id: meters,", "{id: meters, template: test/plant,")
    assert told() == [
        "devices.yaml:7: template stands beside points; a device has either a template or a list of points"
    ]


@pytest.mark.parametrize("name", ["/etc/points.csv", "points.xlsx", "points"])
def test_what_is_no_point_list(name: str, edit: Edit, told: Told) -> None:
    edit("devices.yaml", "pump_drive, points: points.csv", f"pump_drive, points: {name}")
    assert told() == [
        f"devices.yaml:6: 'points' is the text '{name}'; write a file in the site folder like points.csv",
    ]


@pytest.mark.parametrize(
    "raw, expected",
    [
        (b"", "1: the file is empty (0 bytes); write it, or restore it from a backup; docs/configuration.md shows one"),
        (b"\n \n,,\n", "1: the file says nothing; begin with a row that names the columns: docs/points.md"),
        (LIST.encode("utf-16"), "1: is UTF-16 text; save it as UTF-8"),
        (b"device\n\xff\xff\n", "2: is neither UTF-8 nor GBK text (byte 0xff); save it as CSV UTF-8"),
        (b"device,point\n" * 20_001, "20001: has more than 20000 rows; spread the rows over several files"),
        (b"," * 300_000 + b"device", "1: has 300001 columns; at most 200 can be right"),
        (b"x" * 8_000_001, "1: is 8000001 bytes long; a configuration file has at most 8000000 bytes"),
    ],
    ids=["empty", "blank", "UTF-16", "no text", "too many rows", "too many columns", "too long"],
)
def test_a_list_that_cannot_be_read_is_one_problem(raw: bytes, expected: str, site: Path, told: Told) -> None:
    (site / "points.csv").write_bytes(raw)
    assert told() == [f"points.csv:{expected}"]


def test_ten_thousand_defects_are_a_hundred_and_a_count(site: Path, told: Told) -> None:
    rows = "".join(f"meters,found.x.p{n},,,sensor,,,,,,input,first\n" for n in range(10_000))
    (site / "points.csv").write_text(LIST + rows, encoding="utf-8")
    problems = told()
    assert len(problems) == 101
    assert problems[-1].endswith("9900 further problems are not listed; mend these first")
