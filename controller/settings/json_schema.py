"""JSON schemas of the files of a site, for editors: they complete keys and mark mistakes while somebody types.

What `tidewatt check` says is what counts; a schema knows one file only and neither points nor units that must fit.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter

from controller.core.equipment import EQUIPMENT, EquipmentClass
from controller.core.ports import DriverKind
from controller.core.strategy import StrategyKind
from controller.core.units import DEVICE_UNITS
from controller.settings.schema.alarms import AlarmsFile
from controller.settings.schema.devices import DevicesFile
from controller.settings.schema.faults import FaultsFile
from controller.settings.schema.scenarios import ScenarioFile
from controller.settings.schema.site import SiteFile
from controller.settings.schema.strategies import StrategiesFile
from controller.settings.schema.sunclock import SunclockFile
from controller.settings.schema.tariffs import TariffFile
from controller.settings.schema.templates import TemplateFile
from controller.settings.schema.words import LONGEST_QUANTITY, QUANTITY
from controller.settings.validate import DURATION, DURATION_ADVICE, Schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/"


def schemas(
    drivers: Collection[DriverKind], strategies: Collection[StrategyKind], faults: Collection[str]
) -> Mapping[str, Schema]:
    """File name -> schema, with the drivers, strategies and kinds of fault that there are."""
    return {
        "alarms.json": _of_model(AlarmsFile, "alarms.yaml of a Tidewatt site"),
        "faults.json": _with_kinds(_of_model(FaultsFile, "Faults of a simulated plant of Tidewatt"), faults),
        "scenario.json": _with_kinds(_of_model(ScenarioFile, "A scenario of Tidewatt"), faults),
        "site.json": _of_model(SiteFile, "site.yaml of a Tidewatt site"),
        "devices.json": _with_drivers(_of_model(DevicesFile, "devices.yaml of a Tidewatt site"), drivers),
        "strategies.json": _with_strategies(
            _of_model(StrategiesFile, "strategies.yaml of a Tidewatt site"), strategies
        ),
        "sunclock.json": _of_model(SunclockFile, "sunclock.yaml of a Tidewatt site"),
        "tariff.json": _of_model(TariffFile, "A tariff of Tidewatt"),
        "template.json": _with_classes(_of_model(TemplateFile, "A device template of Tidewatt"), drivers),
    }


def text(schema: Schema) -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write(
    folder: Path, drivers: Collection[DriverKind], strategies: Collection[StrategyKind], faults: Collection[str]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas(drivers, strategies, faults).items():
        (folder / name).write_text(text(schema), encoding="utf-8")


def _of_model(model: type[BaseModel], title: str) -> Schema:
    found = _told(model.model_json_schema())
    for definition in found.get("$defs", {}).values():
        definition.pop("description", None)  # docstrings speak to programmers
    found.pop("description", None)
    return {"$schema": _DIALECT, **found, "title": title}


# --- what drivers and strategies bring --------------------------------------------------------------------------------


def _with_drivers(schema: Schema, drivers: Collection[DriverKind]) -> Schema:
    link = schema["$defs"]["LinkEntry"]
    link["properties"]["driver"] = {"enum": sorted(driver.name for driver in drivers)}
    link["allOf"] = [_if("driver", driver.name, _link_of(schema, driver)) for driver in _by_name(drivers)]
    return schema


def _link_of(schema: Schema, driver: DriverKind) -> Schema:
    address = _of_type(schema, driver.address, f"{driver.name}.address")
    said = _only(address, lambda name: name in driver.device_fields)
    return {
        "connection": _of_type(schema, driver.connection, f"{driver.name}.connection"),
        "devices": {"items": {"properties": {"address": said}}},
    }


def _with_kinds(schema: Schema, faults: Collection[str]) -> Schema:
    schema["$defs"]["FaultEntry"]["properties"]["kind"] = {"enum": sorted(faults)}
    return schema


def _with_strategies(schema: Schema, strategies: Collection[StrategyKind]) -> Schema:
    entry = schema["$defs"]["StrategyEntry"]
    kinds = _by_name(strategies)
    entry["properties"]["strategy"] = {"enum": [kind.name for kind in kinds]}
    entry["allOf"] = [_if("strategy", kind.name, _strategy_of(schema, kind)) for kind in kinds]
    return schema


def _strategy_of(schema: Schema, kind: StrategyKind) -> Schema:
    return {
        "parameters": _of_type(schema, kind.parameters, kind.name),
        "bind": {
            "additionalProperties": False,
            "properties": {
                name: {"description": f"{member.least} to {member.most} of class {member.equipment}"}
                for name, member in kind.members.items()
            },
            "required": [name for name, member in kind.members.items() if member.least],
        },
    }


def _with_classes(schema: Schema, drivers: Collection[DriverKind]) -> Schema:
    addresses = [_address_of_point(schema, driver) for driver in _by_name(drivers)]
    schema["properties"]["driver"] = {"enum": sorted(driver.name for driver in drivers)}
    for name in ("PointEntry", "SimulationEntry"):
        schema["$defs"][name]["properties"]["address"] = {"anyOf": addresses}
    schema["$defs"]["PointEntry"]["properties"]["unit"] = {"enum": sorted(DEVICE_UNITS), "default": "none"}
    equipment = schema["$defs"]["EquipmentEntry"]
    equipment["properties"]["class"] = {"enum": sorted(EQUIPMENT)}
    equipment["allOf"] = [
        _if("class", name, {"points": _points_of_class(known)}) for name, known in sorted(EQUIPMENT.items())
    ]
    return schema


def _points_of_class(known: EquipmentClass) -> Schema:
    if known.is_open:
        names = {"pattern": f"^{QUANTITY.pattern}$", "maxLength": LONGEST_QUANTITY}
        return {"propertyNames": names, "additionalProperties": {"required": ["kind"]}}
    return {"propertyNames": {"enum": sorted(known.quantities)}}


def _address_of_point(schema: Schema, driver: DriverKind) -> Schema:
    address = _of_type(schema, driver.address, f"{driver.name}.address")
    return _only(address, lambda name: name not in driver.device_fields)


def _by_name(kinds: Collection[Any]) -> list[Any]:
    return sorted(kinds, key=lambda kind: kind.name)


def _if(key: str, value: str, then: Schema) -> Schema:
    condition = {"properties": {key: {"const": value}}, "required": [key]}
    return {"if": condition, "then": {"properties": then}}


def _of_type(schema: Schema, kind: type[Any], prefix: str) -> Schema:
    """The schema of a dataclass; what it refers to joins the definitions of `schema` under names of its own."""
    found = _told(TypeAdapter(kind).json_schema(ref_template=f"{_REFERENCE}{prefix}.{{model}}"))
    for name, definition in found.pop("$defs", {}).items():
        schema["$defs"][f"{prefix}.{name}"] = definition
    found.pop("description", None)
    return found


def _only(address: Schema, keep: Callable[[str], bool]) -> Schema:
    """An address with some of its keys only."""
    properties = cast("dict[str, Any]", address.get("properties", {}))
    names = [name for name in properties if keep(name)]
    required = [name for name in address.get("required", []) if name in names]
    return {**address, "properties": {name: properties[name] for name in names}, "required": required}


# --- durations as people write them -----------------------------------------------------------------------------------


def _told(schema: Schema) -> Schema:
    """The schema with durations as people write them, not as ISO 8601 does."""
    return cast("Schema", _retold(copy.deepcopy(schema)))


def _retold(node: object) -> object:
    if isinstance(node, list):
        return [_retold(each) for each in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    found = {key: _retold(value) for key, value in cast("dict[str, object]", node).items()}
    if found.get("format") == "duration":
        del found["format"]
        found |= {"pattern": f"^{DURATION.pattern}$", "description": DURATION_ADVICE}
    if found.get("description") == DURATION_ADVICE and "default" in found:
        found["default"] = _in_words(TypeAdapter(timedelta).validate_python(found["default"]))
    return found


def _in_words(duration: timedelta) -> str:
    milliseconds = round(duration.total_seconds() * 1000)
    for unit, size in (("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"
