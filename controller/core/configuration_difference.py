"""What differs between two configurations of a site, in words for whoever changed it.

Values are spelt as the files spell them, in both languages; what is secret is only said to have changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple, cast

from controller.core.point import Range
from controller.core.site import Mount, Site
from controller.core.tariff import Tariff
from controller.core.text import NO_TEXT, Text

# A value that is longer says no more to a reader than that it changed.
LONGEST_VALUE = 60
_SECRETS = ("password", "secret", "token")
_KINDS: Mapping[str, Text] = {
    "site": Text("site", "站点"),
    "system": Text("system", "系统"),
    "link": Text("link", "连接"),
    "device": Text("device", "设备"),
    "point": Text("point", "点"),
    "strategy": Text("strategy", "策略"),
    "alarm": Text("alarm", "报警"),
    "route": Text("route", "通知路线"),
    "forecast": Text("forecast", "预测"),
    "database": Text("database", "数据库"),
    "fire input": Text("fire input", "火警输入"),
    "equipment": Text("equipment", "设备"),
    "maintenance": Text("maintenance", "保养"),
}
_OTHER = Text("the configuration is spelt otherwise and means the same", "配置写法不同，含义相同")

Things = Mapping[tuple[str, str], Mapping[str, Any]]


def differences(old: Site, new: Site) -> list[Text]:
    """One sentence a difference, in the order of the files; empty where the two are the same."""
    before, after = _things(old), _things(new)
    told = [
        _added(thing, after) for thing in after if thing not in before and not _is_with_device(thing, after, before)
    ]
    for thing, present in after.items():
        if thing in before and present != before[thing]:
            told.extend(_changed(thing, before[thing], present))
    told.extend(
        _removed(thing, before) for thing in before if thing not in after and not _is_with_device(thing, before, after)
    )
    if not told and old.digest != new.digest:
        return [_OTHER]
    return told


def _things(site: Site) -> Things:
    """Everything that has a name, with what is said of it."""
    return {
        ("site", ""): {
            "name": site.name,
            "position": site.position,
            "time_zone": str(site.zone),
            "scan_every": site.scan_every,
            "authority_at_first_start": site.first_authority,
            "start_gap": site.start_gap,
            "authority_files": site.authority_files,
            "reload": site.reload,
            "ab_days": site.ab_days,
            "wall_clock": "free_running" if site.has_free_running_clock else "synchronised",
            "tariff": site.tariff,
            "out_of_service": site.out_of_service,
            "sunclock": site.lamp_messages,
        },
        **{("system", each.id): _said(each) for each in site.systems},
        **_on_links(site),
        **{("strategy", each.id): _said_of_mount(each) for each in site.mounts},
        **_of_alarms(site),
        **{("forecast", each.point): _said(each) for each in site.forecasts},
        **{("fire input", each.point): _said(each) for each in site.fire},
        **_of_equipment_log(site),
        **({} if site.influx is None else {("database", "influxdb"): _said(site.influx)}),
    }


def _on_links(site: Site) -> Things:
    things: dict[tuple[str, str], Mapping[str, Any]] = {}
    for link in site.links:
        things["link", link.id] = {"driver": link.driver.name, **_said(link.connection)}
        for device in link.devices:
            paces = {"poll_every": device.poll_every, "urgent_every": device.urgent_every}
            things["device", device.id] = {"link": link.id, **paces}
        for binding in link.bindings:
            of_point = {**_said(binding.point), "device": binding.device, "address": binding.address}
            things["point", binding.point.id] = of_point
    return things


def _said_of_mount(mount: Mount) -> Mapping[str, Any]:
    return {
        "strategy": mount.kind.name,
        "mode": mount.mode,
        "priority": mount.priority.name.lower(),
        "lease": mount.lease,
        "bound": {str(role): str(point) for role, point in mount.roles.items()},
        "parameter": mount.parameters,
    }


def _of_alarms(site: Site) -> Things:
    alarms = site.alarms
    adjusted = {", ".join((each.name, *sorted(each.subjects))): each for each in alarms.adjustments}
    return {
        **{("alarm", str(each.alarm)): _said(each) for each in alarms.rules},
        **{("alarm", name): _said(each) for name, each in adjusted.items()},
        **{("route", each.id): _said(each) for each in alarms.routes},
    }


def _of_equipment_log(site: Site) -> Things:
    said = site.equipment_log
    limits = {id_: each._asdict() for id_, each in said.limits.items()}
    clean = {id_: {"clean_from": each.first, "clean_until": each.last} for id_, each in said.clean.items()}
    named = [id_ for id_ in site.equipment if id_ in limits or id_ in clean]
    return {
        **{("equipment", id_): {**limits.get(id_, {}), **clean.get(id_, {})} for id_ in named},
        **{("maintenance", f"{each.equipment}, {each.what}"): _said(each) for each in said.tasks},
    }


def _is_with_device(thing: tuple[str, str], its: Things, others: Things) -> bool:
    """Whether it is one of the points that come or go with their whole device."""
    return thing[0] == "point" and ("device", its[thing]["device"]) not in others


def _added(thing: tuple[str, str], its: Things) -> Text:
    kind, (many, many_zh) = _KINDS[thing[0]], _with_points(thing, its)
    return Text(f"{kind.en} {thing[1]}: added{many}", f"{kind.zh} {thing[1]}：新增{many_zh}")


def _removed(thing: tuple[str, str], its: Things) -> Text:
    kind, (many, many_zh) = _KINDS[thing[0]], _with_points(thing, its)
    return Text(f"{kind.en} {thing[1]}: removed{many}", f"{kind.zh} {thing[1]}：删除{many_zh}")


def _with_points(thing: tuple[str, str], its: Things) -> Text:
    """How many points come or go with a device."""
    if thing[0] != "device":
        return NO_TEXT
    points = sum(kind == "point" and said["device"] == thing[1] for (kind, _), said in its.items())
    return Text(f" (with {points} points)", f"（含 {points} 个点）")


def _changed(thing: tuple[str, str], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Text]:
    kind = _KINDS[thing[0]]
    name, name_zh = f"{kind.en} {thing[1]}".rstrip(), f"{kind.zh} {thing[1]}".rstrip()
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for path in [*new, *(path for path in old if path not in new)]:
        if old.get(path) == new.get(path):
            continue
        one, other = (_spelt(each.get(path)) for each in (old, new))
        is_short = one is not None and other is not None and one != other and len(one) + len(other) <= LONGEST_VALUE
        what, what_zh = (f"{one} -> {other}",) * 2 if is_short else ("changed", "已更改")
        yield Text(f"{name}: {path} {what}", f"{name_zh}：{path} {what_zh}")


class _Hidden(NamedTuple):
    """A secret: compared, never shown."""

    value: Any


def _said(thing: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, without its id; secrets hidden."""
    return {each.name: _kept(thing, each.name, shown=each.repr) for each in fields(thing) if each.name != "id"}


def _kept(thing: Any, name: str, *, shown: bool) -> Any:
    value = getattr(thing, name)
    return value if shown and not any(word in name for word in _SECRETS) else _Hidden(value)


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """What has no parts that are named, by its place: ("writable release point", "garage.group_1.remote")."""
    if isinstance(tree, Mapping):
        for name, each in cast("Mapping[str, Any]", tree).items():
            yield from _leaves(each, f"{path} {name}".strip())
    elif is_dataclass(tree) and not isinstance(tree, (type, Tariff)):
        yield f"{path} kind", type(tree).__name__
        yield from _leaves(_said(tree), path)
    else:
        yield path, tree


def _spelt(value: Any) -> str | None:
    """As the files spell it; None for what is secret or has no short form."""
    match value:
        case _Hidden() | Tariff():
            return None
        case None:
            return "none"
        case Text(en=en):
            return en
        case Range(low=low, high=high):
            return f"{low:g} to {high:g}"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case timedelta():
            return f"{value.total_seconds():g}s"
        case Enum():
            return str(value.value)
        case tuple() | frozenset():
            return ", ".join(_spelt(each) or "" for each in cast("tuple[Any, ...]", value)) or "none"
        case _:
            return str(value)
