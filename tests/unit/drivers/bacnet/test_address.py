"""What a template and a site may say of BACnet, and what they are told when they say something else."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from controller.core.units import Linear
from drivers.bacnet.address import (
    BacnetAddress,
    BacnetConnection,
    ObjectId,
    Reference,
    Station,
    parse_object,
    parse_station,
)


@pytest.mark.parametrize(
    "text, station",
    [
        ("10.0.0.20", Station("10.0.0.20", 47808)),
        ("10.0.0.20:47809", Station("10.0.0.20", 47809)),
        ("5:12", Station("", 0, 5, b"\x0c")),
        ("5:0x0A000014BAC0", Station("", 0, 5, bytes.fromhex("0A000014BAC0"))),
        ("5:12@10.0.0.2", Station("10.0.0.2", 47808, 5, b"\x0c")),
        ("5:12@10.0.0.2:47810", Station("10.0.0.2", 47810, 5, b"\x0c")),
    ],
)
def test_a_device_is_said_by_its_place(text: str, station: Station) -> None:
    assert parse_station(text) == station


@pytest.mark.parametrize(
    "text",
    ["", "gateway", "10.0.0", "10.0.0.300", "10.0.0.1:0", "10.0.0.1:70000", "10.0.0.1:5:3", "0:1", "65535:1", "5:256"],
)
def test_a_place_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)give"):
        parse_station(text)


@pytest.mark.parametrize("text", ["5:", "5:0x", "5:1@", "5:0x1122334455667788", "a:1", "5:1@6:2", "2001", "１:2"])
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)give"):
        parse_station(text)


def test_objects_are_said_by_type_and_number() -> None:
    assert parse_object("analog-input,3") == ObjectId(0, 3)
    assert parse_object("300, 7") == ObjectId(300, 7)
    assert str(ObjectId(19, 2)) == "multi-state-value,2"
    assert BacnetAddress("analog-output,1", "10.0.0.1", property="high-limit", index=2).reference == Reference(
        ObjectId(1, 1), 45, 2
    )


@pytest.mark.parametrize(
    "text", ["analog,1", "analog-input", "analog-input,-1", "analog-input,5000000", "2000,1", "analogInput,1"]
)
def test_other_objects_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"give|write"):
        parse_object(text)


@pytest.mark.parametrize(
    "said, wrong",
    [
        ({"device": ""}, "a device has one address"),
        ({"instance": 3}, "a device has one address"),
        ({"device": "", "instance": 4194303}, "device instance 4194303 does not exist"),
        ({"property": "presentvalue"}, "property 'presentvalue' is not known"),
        ({"index": -1}, "index -1 does not exist"),
        ({"property": "high-limit", "cov": True}, "only a present-value tells its changes"),
        ({"states": ("on", "on"), "object": "multi-state-value,1"}, "not all different"),
        ({"states": ("a", "b", "c"), "object": "binary-value,1"}, "two states, not 3"),
        ({"states": ("a", "b")}, "analog-input,1 has no states"),
        ({"scale": 0.0}, "scale 0.0 makes every value the same"),
        ({"offset": math.inf}, "offset inf is no number"),
        ({"object": "binary-value,1", "scale": 2.0}, "a state has neither scale"),
    ],
)
def test_says_what_is_wrong(said: dict[str, Any], wrong: str) -> None:
    words: dict[str, Any] = {"object": "analog-input,1", "device": "10.0.0.1", **said}
    with pytest.raises(ValueError, match="(?i)" + wrong):
        BacnetAddress(**words)


def test_a_network_and_mac_without_quotes_is_no_text() -> None:
    """YAML reads 5:12 as a number of base 60."""
    with pytest.raises(ValidationError):
        TypeAdapter(BacnetAddress).validate_python({"object": "analog-input,1", "device": 312})


def test_inputs_are_not_for_us_to_write() -> None:
    assert not BacnetAddress("binary-input,1", "10.0.0.1").can_write
    assert BacnetAddress("binary-input,1", "10.0.0.1", property="out-of-service").can_write
    assert BacnetAddress("analog-value,1", "10.0.0.1").can_write


def test_units_are_converted_in_scale_and_offset() -> None:
    address = BacnetAddress("analog-input,1", "10.0.0.1", scale=2.0, offset=1.0).converted(Linear(0.5, 3.0))
    assert (address.scale, address.offset) == (1.0, 3.5)


@pytest.mark.parametrize(
    "said, wrong",
    [
        ({"interface": "eth0"}, "interface 'eth0' is no IPv4 address"),
        ({"interface": "0.0.0.0/0"}, "interface '0.0.0.0/0' is no one address"),
        ({"port": 70000}, "port 70000 does not exist"),
        ({"priority": 8}, "priority 8 is kept for life safety, critical equipment and the operator; give 9 to 16"),
        ({"priority": 1}, "priority 1 is kept for life safety"),
        ({"priority": 0}, "priority 0 does not exist"),
        ({"priority": 17}, "priority 17 does not exist"),
        ({"timeout": timedelta(0)}, "timeout 0 s is out of range"),
        ({"timeout": timedelta(seconds=21)}, "timeout 21 s is out of range; give more than 0 and at most 20s"),
        ({"ttl": timedelta(seconds=5)}, "ttl 5 s is out of range"),
        ({"bbmd": "5:12"}, "bbmd '5:12' is no IP address"),
        ({"instance": -1}, "device instance -1 does not exist"),
    ],
)
def test_a_connection_says_what_is_wrong(said: dict[str, Any], wrong: str) -> None:
    words: dict[str, Any] = {"interface": "10.0.0.4/24", **said}
    with pytest.raises(ValueError, match=wrong.replace("(", r"\(")):
        BacnetConnection(**words)


def test_a_connection_reads_a_site() -> None:
    said = {"interface": "10.0.0.4/24", "priority": 12, "timeout": "PT2S", "bbmd": "10.1.0.2"}
    connection = TypeAdapter(BacnetConnection).validate_python(said)
    assert connection == BacnetConnection("10.0.0.4/24", priority=12, timeout=timedelta(seconds=2), bbmd="10.1.0.2")
    assert connection.bbmd_station == Station("10.1.0.2", 47808)
