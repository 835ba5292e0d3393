"""Home Assistant's discovery messages as points: PREFIX/COMPONENT/[NODE/]OBJECT/config. Pure.

After the documentation of Home Assistant's MQTT integration: discovery, its abbreviations, and the components sensor,
binary_sensor, switch, light, number and select. Templates are read where they name one value, as
`{{ value_json.a.b | float }}` does; everything else is told and left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias, cast

from controller.core.discovery import NoAnswer
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from drivers.mqtt.address import PLACEHOLDER
from drivers.mqtt.candidate import Candidate, Leads, scaled, snake, text_of, unit_of
from drivers.mqtt.path import JsonPath, spelt

Tree: TypeAlias = Mapping[str, JsonValue]

_TOPIC = re.compile(r"(?P<prefix>[^/]+)/(?P<component>[a-z_]+)/(?:[^/]+/)?(?P<object>[^/]+)/config")
_TEMPLATE = re.compile(
    r"""\{\{-?\s*(?:value|value_json(?P<path>(?:\.\w+|\[\d{1,6}\]|\['[^']+'\]|\["[^"]+"\])+))\s*"""
    r"""(?:\|\s*(?:float|int|round|is_defined)(?:\(\s*[\w.]*\s*\))?\s*)*-?\}\}"""
)
_STEP = re.compile(r"""\.(?P<key>\w+)|\[(?P<index>\d+)\]|\[["'](?P<quoted>[^"']+)["']\]""")
_VALUE = re.compile(r"\{\{-?\s*value\s*-?\}\}")
_BRIGHTEST: Final = 255.0

_ABBREVIATIONS: Final[Mapping[str, str]] = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "bri_cmd_t": "brightness_command_topic",
    "bri_scl": "brightness_scale",
    "bri_stat_t": "brightness_state_topic",
    "bri_val_tpl": "brightness_value_template",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "cns": "connections",
    "dev": "device",
    "dev_cla": "device_class",
    "ids": "identifiers",
    "mdl": "model",
    "mf": "manufacturer",
    "obj_id": "object_id",
    "ops": "options",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_cla": "state_class",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "stat_val_tpl": "state_value_template",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}


class _Unclear(Exception):
    """The entity cannot be a point of ours; the text says why."""


class _Entity(NamedTuple):
    """One component of a device. said: its settings, spelt in full, with the base topic put in."""

    said: Tree
    device: str
    device_title: str
    name: str
    title: str

    def candidate(
        self,
        kind: PointKind,
        type: ValueType | None,
        address: Mapping[str, JsonValue],
        unit: str = "none",
        states: tuple[str, ...] = (),
        suffix: str = "",
    ) -> Candidate:
        name = f"{self.name}{suffix}"
        whole = {**address, **_availability(self.said)}
        return Candidate(self.device, self.device_title, "", name, kind, type, unit, whole, self.title, states)


def read_home_assistant(topic: str, tree: JsonValue) -> Leads | None:
    """None where the message is no discovery message at all."""
    match = _TOPIC.fullmatch(topic)
    if match is None or not isinstance(tree, dict):
        return None
    said = _spelt_out(tree)
    component, components = match["component"], said.get("components")
    if component == "device" and isinstance(components, dict):
        common = {key: value for key, value in said.items() if key != "components"}
        leads: list[Candidate | NoAnswer] = []
        for name, each in components.items():
            if isinstance(each, dict):
                one = {**common, **_spelt_out(each)}
                leads.extend(_entity(topic, text_of(one, "platform"), name, one))
        return leads
    if not any(key.endswith("_topic") for key in said):
        return None
    return _entity(topic, component, match["object"], said)


def _entity(topic: str, component: str, object_id: str, said: Tree) -> Leads:
    read = _COMPONENTS.get(component)
    title = text_of(said, "name") or object_id
    if read is None:
        return [NoAnswer(title, f"a {component or 'nameless component'} of Home Assistant is nothing we know")]
    device = said.get("device")
    of = _spelt_out(device) if isinstance(device, dict) else {}
    parts = (text_of(of, "manufacturer"), text_of(of, "model"), text_of(of, "name"))
    key = _identity(of) or object_id
    name = snake(text_of(said, "object_id") or title, "value")
    entity = _Entity(_with_base(said), key, " ".join(part for part in parts if part) or key, name, title)
    try:
        return read(entity)
    except _Unclear as error:
        return [NoAnswer(title, f"{error} ({topic})")]


def _identity(device: Tree) -> str:
    identifiers = device.get("identifiers")
    if isinstance(identifiers, list) and identifiers:
        identifiers = identifiers[0]
    return identifiers[:200] if isinstance(identifiers, str) else text_of(device, "name")


# --- components -------------------------------------------------------------------------------------------------------


def _sensor(entity: _Entity) -> Leads:
    said = entity.said
    unit, scale = unit_of(said.get("unit_of_measurement"))
    options = _texts(said.get("options"))
    numeric = "unit_of_measurement" in said or "state_class" in said
    type = ValueType.TEXT if options else ValueType.NUMBER if numeric else None
    address = {**_state(said), **scaled(scale)}
    return [entity.candidate(PointKind.SENSOR, type, address, unit, options)]


def _binary_sensor(entity: _Entity) -> Leads:
    address = {
        **_state(entity.said),
        "values": _spellings(_plain(entity.said, "payload_on", "ON"), _plain(entity.said, "payload_off", "OFF")),
    }
    return [entity.candidate(PointKind.STATUS, ValueType.BOOLEAN, address)]


def _switch_entity(entity: _Entity) -> Leads:
    said = entity.said
    on, off = _plain(said, "payload_on", "ON"), _plain(said, "payload_off", "OFF")
    values = _spellings(_plain(said, "state_on", on), _plain(said, "state_off", off))
    commands: dict[str, JsonValue] = {on: True, off: False}
    address = {**_state(said), "values": values, **_command(said)}
    if commands != values:
        address["command_values"] = commands
    return [entity.candidate(PointKind.COMMAND, ValueType.BOOLEAN, address)]


def _light(entity: _Entity) -> Leads:
    said = entity.said
    schema = text_of(said, "schema") or "default"
    if schema == "json":
        return _json_light(entity)
    if schema != "default":
        raise _Unclear(f"a light with schema {schema} is nothing we know")
    state = {**said, "value_template": said.get("state_value_template", said.get("value_template", ""))}
    leads = [*_switch_entity(entity._replace(said=state))]
    if "brightness_command_topic" in said:
        bright = {
            **said,
            "state_topic": said.get("brightness_state_topic", ""),
            "value_template": said.get("brightness_value_template", ""),
            "command_topic": said.get("brightness_command_topic", ""),
        }
        leads.append(_brightness(entity, {**_state(bright), **_command(bright)}))
    return leads


def _json_light(entity: _Entity) -> Leads:
    said = entity.said
    topic, command = _topic(said, "state_topic"), _topic(said, "command_topic")
    state: dict[str, JsonValue] = {
        "state_topic": topic,
        "path": "state",
        "values": {"ON": True, "OFF": False},
        "command_topic": command,
        "command_payload": f'{{"state": "{PLACEHOLDER}"}}',
    }
    leads = [entity.candidate(PointKind.COMMAND, ValueType.BOOLEAN, state)]
    if said.get("brightness") is True:
        bright: dict[str, JsonValue] = {
            "state_topic": topic,
            "path": "brightness",
            "command_topic": command,
            "command_payload": f'{{"brightness": {PLACEHOLDER}}}',
        }
        leads.append(_brightness(entity, bright))
    return leads


def _brightness(entity: _Entity, address: Mapping[str, JsonValue]) -> Candidate:
    brightest = entity.said.get("brightness_scale", _BRIGHTEST)
    if not isinstance(brightest, int | float) or brightest <= 0:
        raise _Unclear("its brightness_scale is no number")
    whole: dict[str, JsonValue] = {**address, "scale": 1.0 / brightest, "decimals": 0}
    return entity.candidate(PointKind.SETPOINT, ValueType.NUMBER, whole, "fraction", suffix="_brightness")


def _number(entity: _Entity) -> Leads:
    unit, scale = unit_of(entity.said.get("unit_of_measurement"))
    address = {**_state(entity.said), **scaled(scale), **_command(entity.said)}
    return [entity.candidate(PointKind.SETPOINT, ValueType.NUMBER, address, unit)]


def _select(entity: _Entity) -> Leads:
    options = _texts(entity.said.get("options"))
    address = {**_state(entity.said), **_command(entity.said)}
    return [entity.candidate(PointKind.COMMAND, ValueType.TEXT, address, states=options)]


_COMPONENTS: Final[Mapping[str, Callable[[_Entity], Leads]]] = {
    "sensor": _sensor,
    "binary_sensor": _binary_sensor,
    "switch": _switch_entity,
    "light": _light,
    "number": _number,
    "select": _select,
}


# --- parts of an address ----------------------------------------------------------------------------------------------


def _state(said: Tree) -> dict[str, JsonValue]:
    address: dict[str, JsonValue] = {"state_topic": _topic(said, "state_topic")}
    path = _path(text_of(said, "value_template"))
    return {**address, "path": path} if path else address


def _command(said: Tree) -> dict[str, JsonValue]:
    address: dict[str, JsonValue] = {"command_topic": _topic(said, "command_topic")}
    template = text_of(said, "command_template")
    if template:
        payload = _VALUE.sub(PLACEHOLDER, template)
        if "{{" in payload or "{%" in payload or PLACEHOLDER not in payload:
            raise _Unclear("its command_template does more than put the value in")
        address["command_payload"] = payload
    return address


def _topic(said: Tree, key: str) -> str:
    topic = said.get(key)
    if not isinstance(topic, str) or not topic:
        raise _Unclear(f"it has no {key}")
    return topic


def _path(template: str) -> str:
    if not template:
        return ""
    match = _TEMPLATE.fullmatch(template.strip())
    if match is None:
        raise _Unclear("its value_template does more than name a value")
    path: JsonPath = tuple(
        int(step["index"]) if step["index"] is not None else step["key"] or step["quoted"]
        for step in _STEP.finditer(match["path"] or "")
    )
    return spelt(path)


def _spellings(on: str, off: str) -> dict[str, JsonValue]:
    """A template of Home Assistant makes "True" of JSON's true."""
    values: dict[str, JsonValue] = {on: True, off: False}
    for text in ("True", "False"):
        if text in values:
            values.setdefault(text.lower(), values[text])
    return values


def _plain(said: Tree, key: str, default: str) -> str:
    """A payload as the wire spells it: discovery may write true or 1 for "True" or "1"."""
    value = said.get(key, default)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:200] if isinstance(value, str | int | float) else default


def _availability(said: Tree) -> dict[str, JsonValue]:
    """Every topic that says whether the device is there; one with a template that we cannot read is left out."""
    entries: list[Tree] = []
    if "availability_topic" in said:
        entries.append({"topic": said["availability_topic"], "value_template": said.get("availability_template", "")})
    listed = said.get("availability")
    for each in listed if isinstance(listed, list) else [listed]:
        if isinstance(each, dict):
            entries.append(_spelt_out(each))
    found: list[JsonValue] = []
    for entry in entries:
        topic = text_of(entry, "topic")
        try:
            path = _path(text_of(entry, "value_template"))
        except _Unclear:
            continue
        both = {**said, **entry}
        online, offline = _plain(both, "payload_available", "online"), _plain(both, "payload_not_available", "offline")
        if topic and online != offline:
            one: dict[str, JsonValue] = {"topic": topic, "online": online, "offline": offline}
            found.append({**one, "path": path} if path else one)
    return {"availability": found} if found else {}


# --- spelling ---------------------------------------------------------------------------------------------------------


def _spelt_out(tree: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {_ABBREVIATIONS.get(key, key): value for key, value in tree.items()}


def _with_base(said: Tree) -> Tree:
    """`~` at either end of a topic stands for the base topic."""
    base = said.get("~")
    return cast("Tree", _based(dict(said), base)) if isinstance(base, str) else said


def _based(tree: JsonValue, base: str) -> JsonValue:
    if not isinstance(tree, dict):
        return [_based(each, base) for each in tree] if isinstance(tree, list) else tree
    based: dict[str, JsonValue] = {}
    for key, value in tree.items():
        if isinstance(value, str) and _ABBREVIATIONS.get(key, key).endswith("topic"):
            value = base + value[1:] if value.startswith("~") else value
            value = value[:-1] + base if value.endswith("~") else value
        based[key] = _based(value, base) if isinstance(value, dict | list) else value
    return based


def _texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
