"""What gateways say of themselves becomes devices and points that the driver can read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.point import PointKind, ValueType
from drivers.mqtt import KIND
from drivers.mqtt.finder import Finder

LINK = {"host": "broker"}


def heard(*messages: tuple[str, Any]) -> list[Found]:
    finder = Finder(LINK)
    for topic, body in messages:
        finder.hear(topic, body if isinstance(body, bytes) else json.dumps(body).encode())
    return [*finder.found()]


def points(found: list[Found]) -> dict[str, FoundPoint]:
    return {each.name: each for each in found if isinstance(each, FoundPoint)}


def refusals(found: list[Found]) -> list[str]:
    return [each.cause for each in found if isinstance(each, NoAnswer)]


class TestHomeAssistant:
    def test_a_sensor_in_full_words(self) -> None:
        found = heard(
            (
                "homeassistant/sensor/meter/power/config",
                {
                    "name": "Active power",
                    "state_topic": "meter/state",
                    "value_template": "{{ value_json.phases[0].power | float }}",
                    "unit_of_measurement": "W",
                    "device": {"identifiers": ["m1"], "name": "Main meter", "manufacturer": "Acme", "model": "M1"},
                    "availability": [{"topic": "meter/there", "value_template": "{{ value_json.state }}"}],
                },
            ),
            ("meter/state", {"phases": [{"power": 1200.5}]}),
        )
        device, point = found
        assert device == FoundDevice("acme_m1_main_meter", LINK, {}, "Acme M1 Main meter")
        assert point == FoundPoint(
            "acme_m1_main_meter",
            "active_power",
            PointKind.SENSOR,
            ValueType.NUMBER,
            "W",
            {
                "state_topic": "meter/state",
                "path": "phases[0].power",
                "availability": [{"topic": "meter/there", "online": "online", "offline": "offline", "path": "state"}],
            },
            "Active power",
            "1200.5",
        )

    def test_a_switch_in_abbreviations(self) -> None:
        (point,) = points(
            heard(
                (
                    "homeassistant/switch/plug/config",
                    {
                        "~": "plugs/one",
                        "name": "Plug",
                        "stat_t": "~/state",
                        "cmd_t": "~/set",
                        "pl_on": "1",
                        "pl_off": "0",
                        "stat_on": "yes",
                        "stat_off": "no",
                        "avty_t": "~/lwt",
                    },
                ),
                ("plugs/one/state", b"yes"),
            )
        ).values()
        assert (point.kind, point.type, point.value) == (PointKind.COMMAND, ValueType.BOOLEAN, "on")
        assert point.address == {
            "state_topic": "plugs/one/state",
            "values": {"yes": True, "no": False},
            "command_topic": "plugs/one/set",
            "command_values": {"1": True, "0": False},
            "availability": [{"topic": "plugs/one/lwt", "online": "online", "offline": "offline"}],
        }

    def test_a_json_light_has_a_switch_and_a_brightness(self) -> None:
        said = {"schema": "json", "name": "Lamp", "state_topic": "l", "command_topic": "l/set", "brightness": True}
        found = points(heard(("homeassistant/light/l/config", said), ("l", {"state": "ON", "brightness": 51})))
        assert found["lamp"].value == "on"
        assert found["lamp"].address["command_payload"] == '{"state": "{value}"}'
        assert (found["lamp_brightness"].value, found["lamp_brightness"].unit) == ("0.2", "fraction")

    def test_a_light_of_two_topics_has_both(self) -> None:
        said = {
            "name": "Lamp",
            "state_topic": "l",
            "command_topic": "l/set",
            "brightness_state_topic": "l/bright",
            "brightness_command_topic": "l/bright/set",
            "brightness_scale": 100,
        }
        found = points(heard(("homeassistant/light/l/config", said), ("l/bright", b"30")))
        assert found["lamp_brightness"].value == "0.3"
        assert found["lamp_brightness"].address["command_topic"] == "l/bright/set"

    def test_numbers_and_selections(self) -> None:
        number = {
            "name": "Setpoint",
            "stat_t": "n",
            "cmd_t": "n/set",
            "unit_of_meas": "°C",
            "cmd_tpl": '{"t": {{ value }}}',
        }
        choice = {"name": "Mode", "stat_t": "m", "cmd_t": "m/set", "ops": ["eco", "comfort"]}
        found = points(heard(("homeassistant/number/n/config", number), ("homeassistant/select/m/config", choice)))
        assert (found["setpoint"].unit, found["setpoint"].address["command_payload"]) == ("degC", '{"t": {value}}')
        assert (found["mode"].type, found["mode"].states) == (ValueType.TEXT, ("eco", "comfort"))

    def test_one_message_for_a_whole_device(self) -> None:
        said = {
            "dev": {"ids": "box", "name": "Box"},
            "stat_t": "box/state",
            "cmps": {
                "temperature": {"p": "sensor", "name": "T", "unit_of_meas": "°C", "val_tpl": "{{ value_json.t }}"},
                "door": {"p": "binary_sensor", "name": "Door", "val_tpl": "{{ value_json['door'] }}"},
            },
        }
        found = heard(("homeassistant/device/box/config", said), ("box/state", {"t": 20, "door": "OFF"}))
        assert [each.id for each in found if isinstance(each, FoundDevice)] == ["box"]
        assert {name: point.value for name, point in points(found).items()} == {"t": "20", "door": "off"}

    @pytest.mark.parametrize(
        "component, changes, words",
        [
            ("sensor", {"value_template": "{{ value_json.a * 2 }}"}, "its value_template does more than name a value"),
            ("sensor", {"value_template": "{% if value %}1{% endif %}"}, "its value_template does more"),
            ("sensor", {"state_topic": ""}, "it has no state_topic"),
            ("switch", {"command_template": "{{ value | upper }}"}, "its command_template does more"),
            ("light", {"schema": "template"}, "a light with schema template is nothing we know"),
            ("climate", {}, "a climate of Home Assistant is nothing we know"),
        ],
    )
    def test_what_it_does_not_understand_is_told(self, component: str, changes: dict[str, str], words: str) -> None:
        said = {"name": "X", "state_topic": "x", "command_topic": "x/set", **changes}
        found = heard((f"homeassistant/{component}/x/config", said))
        assert points(found) == {}
        assert len(refusals(found)) == 1
        assert refusals(found)[0].startswith(words)

    def test_a_removed_entity_is_nothing(self) -> None:
        assert heard(("homeassistant/sensor/x/config", b"")) == []


class TestZigbee2Mqtt:
    DEVICES = (
        {"friendly_name": "Coordinator", "type": "Coordinator"},
        {
            "friendly_name": "garage/lamp 1",
            "type": "Router",
            "definition": {
                "vendor": "Acme",
                "model": "L1",
                "exposes": [
                    {
                        "type": "light",
                        "features": [
                            {
                                "type": "binary",
                                "property": "state",
                                "access": 7,
                                "value_on": "ON",
                                "value_off": "OFF",
                                "label": "State",
                            },
                            {"type": "numeric", "property": "brightness", "access": 7, "value_max": 254},
                            {
                                "type": "composite",
                                "property": "color",
                                "features": [{"type": "numeric", "property": "hue", "access": 7}],
                            },
                        ],
                    },
                    {"type": "numeric", "property": "power", "access": 1, "unit": "W"},
                    {"type": "binary", "property": "occupancy", "access": 1, "value_on": True, "value_off": False},
                    {"type": "enum", "property": "effect", "access": 2, "values": ["blink"]},
                    {"type": "enum", "property": "mode", "access": 3, "values": ["a", "b"]},
                ],
            },
        },
        {"friendly_name": "unknown", "type": "EndDevice", "definition": None},
    )

    def test_what_devices_expose(self) -> None:
        state = {"state": "OFF", "brightness": 127, "power": 3.5, "occupancy": True, "mode": "b", "color": {"hue": 3}}
        found = heard(("zigbee2mqtt/bridge/devices", self.DEVICES), ("zigbee2mqtt/garage/lamp 1", state))
        (device,) = (each for each in found if isinstance(each, FoundDevice))
        assert device.address == {"topic": "zigbee2mqtt/garage/lamp 1"}
        assert {name: (point.kind.value, point.value) for name, point in points(found).items()} == {
            "state": ("command", "off"),
            "brightness": ("setpoint", "127"),
            "color_hue": ("sensor", "3"),
            "power": ("sensor", "3.5"),
            "occupancy": ("status", "on"),
            "mode": ("command", "b"),
        }
        assert points(found)["state"].address["command_payload"] == '{"state": {value}}'
        assert refusals(found) == ["Zigbee2MQTT does not know this device"]

    def test_what_sleeps_on_a_battery_is_not_believed_for_long(self) -> None:
        sensor = {**self.DEVICES[1], "friendly_name": "sensor", "type": "EndDevice"}
        found = points(heard(("zigbee2mqtt/bridge/devices", [sensor])))
        assert "reports" not in found["occupancy"].address
        lamp = points(heard(("zigbee2mqtt/bridge/devices", [self.DEVICES[1]])))
        assert lamp["occupancy"].address["reports"] == "on_change"

    def test_what_is_described_twice_is_told_once(self) -> None:
        twin = {"name": "Lamp", "stat_t": "zigbee2mqtt/garage/lamp 1", "val_tpl": "{{ value_json.power }}"}
        both = heard(("zigbee2mqtt/bridge/devices", self.DEVICES), ("homeassistant/sensor/x/config", twin))
        assert sum(isinstance(each, FoundPoint) for each in both) == 6


class TestTasmota:
    def test_telemetry(self) -> None:
        state = {"Time": "2024-07-01T12:00:00", "POWER1": "ON", "POWER2": "OFF", "Dimmer": 40, "Wifi": {"RSSI": 80}}
        sensor = {
            "Time": "2024-07-01T12:00:00",
            "ENERGY": {"Power": 12, "Total": 3.5, "Current": [0.1, 0.2]},
            "AM2301": {"Temperature": 70.0},
            "TempUnit": "F",
        }
        found = heard(("tele/plug_1/STATE", state), ("tele/plug_1/SENSOR", sensor), ("tele/plug_1/LWT", b"Online"))
        assert {each.id for each in found if isinstance(each, FoundDevice)} == {"plug_1"}
        assert {name: point.unit for name, point in points(found).items()} == {
            "power1": "none",
            "power2": "none",
            "dimmer": "%",
            "energy_power": "W",
            "energy_total": "kWh",
            "energy_current_0": "A",
            "energy_current_1": "A",
            "am2301_temperature": "degF",
        }
        assert points(found)["power1"].address["request_topic"] == "cmnd/{topic}/POWER1"
        assert points(found)["energy_power"].value == "12"


class TestUndescribed:
    def test_values_of_objects_and_of_topics(self) -> None:
        found = heard(
            ("plant/meter", {"ts": 1719835200, "kW": 12.5, "ok": True, "phase": {"a": 1}, "text": "idle", "n": None}),
            ("garage/lux", b"35"),
            ("garage/motion", b"ON"),
            ("camera/image", b"\xff\xd8\xff"),
            ("garage/lamp/set", b"ON"),
            ("zigbee2mqtt/bridge/state", {"state": "online"}),
        )
        assert {each.id: each.address for each in found if isinstance(each, FoundDevice)} == {
            "plant_meter": {"topic": "plant/meter"},
            "garage": {"topic": "garage"},
        }
        by_name = points(found)
        assert {name: (point.type.value, point.value) for name, point in by_name.items()} == {
            "kw": ("number", "12.5"),
            "ok": ("boolean", "on"),
            "phase_a": ("number", "1"),
            "text": ("text", "idle"),
            "lux": ("number", "35"),
            "motion": ("boolean", "on"),
        }
        assert by_name["kw"].address == {"state_topic": "{topic}", "path": "kW", "timestamp": "ts"}
        assert by_name["lux"].address == {"state_topic": "{topic}/lux"}

    def test_nothing_is_told_twice(self) -> None:
        finder = Finder(LINK)
        finder.hear("garage/lux", b"35")
        assert len([*finder.found()]) == 2
        finder.hear("garage/lux", b"36")
        finder.hear("garage/co", b"4")
        assert [each.name for each in finder.found() if isinstance(each, FoundPoint)] == ["co"]

    def test_names_are_told_apart(self) -> None:
        found = heard(("a/x", {"b c": 1, "b-c": 2}), ("A/x", b"1"))
        assert {*points(found)} == {"b_c", "b_c_2", "x"}
        assert [each.id for each in found if isinstance(each, FoundDevice)] == ["a_x", "a"]


def test_every_address_that_is_found_is_one_that_the_settings_accept() -> None:
    """The driver's own type would take more than a file may say."""
    from controller.settings.validate import checker

    messages = (
        ("zigbee2mqtt/bridge/devices", TestZigbee2Mqtt.DEVICES),
        ("tele/plug/STATE", {"Time": "now", "POWER": "ON", "Dimmer": 3}),
        ("plant/meter", {'a"b': 1, "a.b": 2, "": 3, "c d": [1, {"e": 2}]}),
        (
            "homeassistant/light/l/config",
            {"schema": "json", "name": "L", "stat_t": "l", "cmd_t": "s", "brightness": True},
        ),
    )
    found = heard(*messages)
    devices = {each.id: each.address for each in found if isinstance(each, FoundDevice)}
    addresses: list[Any] = [
        {**point.address, **devices[point.device]} for point in found if isinstance(point, FoundPoint)
    ]
    assert len(addresses) == 13
    for address in addresses:
        assert checker(KIND.address).check(address)[1] == []
