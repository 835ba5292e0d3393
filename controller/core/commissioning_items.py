"""The tests that a site asks for, derived from what its files declare. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from controller.core.commissioning import Item, ItemKind
from controller.core.configuration_hashes import ConfigurationHashes
from controller.core.fire import FireInput
from controller.core.handover import lifelines_of, machines_of
from controller.core.point import (
    DeviceTimeout,
    Heartbeat,
    Point,
    PointId,
    ReleaseNull,
    RemoteBit,
    Restore,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.sample import Scalar
from controller.core.site import Mount, Site
from controller.core.strategy import Mode
from controller.core.system import Exclusion, Member, Permissive, System
from controller.core.text import Text
from controller.core.units import Unit


def items_of(site: Site) -> list[Item]:
    """Every test of a site, system by system as in site.yaml, then what no system leans on. Points that live in the
    daemon itself have nothing to be tested."""
    return list(_Items(site).all())


def dropped_within(site: Site, point: PointId) -> float | None:
    """Seconds after which the device drops the point when it is not written again; of a heartbeat, all that hangs on
    it. None where nothing is dropped: a point behind a remote bit goes with its bit."""
    return _dropped_within(site.points[point], _heartbeats(site))


def _dropped_within(point: Point, heartbeats: Mapping[PointId, float]) -> float | None:
    writable = point.writable
    if writable is not None and isinstance(writable.on_silence, DeviceTimeout):
        return None if isinstance(writable.release, RemoteBit) else writable.on_silence.after.total_seconds()
    return heartbeats.get(point.id)


def _heartbeats(site: Site) -> dict[PointId, float]:
    """Each heartbeat, and within how many seconds the first of what hangs on it is dropped."""
    found: dict[PointId, float] = {}
    for point in site.points.values():
        if point.writable is not None and isinstance(point.writable.on_silence, Heartbeat):
            heartbeat, after = point.writable.on_silence.point, point.writable.on_silence.after.total_seconds()
            found[heartbeat] = min(after, found.get(heartbeat, after))
    return found


def _hanging(site: Site) -> dict[PointId, set[PointId]]:
    """Remote bits and heartbeats, and what the device drops when they are not written again: what a bit hands over;
    what names the heartbeat, and what is handed over by that."""
    handed_over: dict[PointId, set[PointId]] = {}
    of_heartbeat: dict[PointId, set[PointId]] = {}
    for point in site.points.values():
        if point.writable is None:
            continue
        if isinstance(point.writable.release, RemoteBit):
            handed_over.setdefault(point.writable.release.point, set()).add(point.id)
        if isinstance(point.writable.on_silence, Heartbeat):
            of_heartbeat.setdefault(point.writable.on_silence.point, set()).add(point.id)
    found = dict(handed_over)
    for heartbeat, points in of_heartbeat.items():
        behind = (handed_over.get(each, set[PointId]()) for each in points)
        found[heartbeat] = points.union(*behind) - {heartbeat}
    return found


def silence_tests(site: Site, name: str) -> list[str]:
    """Ids of the tests of silence that a device or a point stands for: a device for all of its own, a point for that
    by which its device notices."""
    devices = {device.id: device.points for link in site.links for device in link.devices}
    points = devices.get(name, (PointId(name),))
    tests = {item.subject: item.id for item in items_of(site) if item.kind is ItemKind.SILENCE}
    found = dict.fromkeys(tests[each] for point in points for each in _noticed_by(site, point) if each in tests)
    return list(found)


def _noticed_by(site: Site, point: PointId) -> list[PointId]:
    declared = site.points.get(point)
    writable = None if declared is None else declared.writable
    noticed = [point]
    if writable is not None and isinstance(writable.release, RemoteBit):
        noticed.append(writable.release.point)
    if writable is not None and isinstance(writable.on_silence, Heartbeat):
        noticed.append(writable.on_silence.point)
    return noticed


class _Items:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._hashes = ConfigurationHashes(site)
        self._device_of = {
            point: device.id
            for link in site.links
            if link.driver.lives_on
            for device in link.devices
            for point in device.points
        }
        self._owner = {point: system.id for system in site.systems for point in system.points}
        self._leaning = _leaning(site)
        self._heartbeats = _heartbeats(site)
        self._hanging = _hanging(site)
        points = [point for point in site.points.values() if point.writable is not None]
        self._handshakes = {each.remote for each in machines_of(points)} | {
            each.heartbeat for each in lifelines_of(points)
        }

    def all(self) -> Iterator[Item]:
        told: set[PointId] = set()
        for system in self._site.systems:
            for point in (*system.points, *self._leaning_of(system)):
                if point not in told:
                    told.add(point)
                    yield from self._of_point(self._site.points[point])
            for permissive in system.permissives:
                yield from self._of_permissive(permissive, system)
            for exclusion in system.exclusions:
                yield from self._of_exclusion(exclusion, system)
            yield from self._of_handing_back(system)
        for fire in self._site.fire:
            yield from self._of_fire(fire)
        for point in self._site.points.values():
            if point.id not in told:
                yield from self._of_point(point)

    def _leaning_of(self, system: System) -> list[PointId]:
        """In the order of the site's points."""
        return [point for point in self._site.points if system.id in self._leaning.get(point, ())]

    def _of_point(self, point: Point) -> Iterator[Item]:
        if point.id not in self._device_of:
            return
        writable = point.writable
        if writable is None:
            yield self._item(point, ItemKind.READING, _reading(point))
            return
        if point.id not in self._handshakes:
            yield self._item(point, ItemKind.COMMAND, _commanding(point, writable))
            yield self._item(point, ItemKind.RELEASE, _releasing(point, writable))
        within = _dropped_within(point, self._heartbeats)
        if within is not None:
            covered = self._hashes.of_silence(point.id, within, self._hanging.get(point.id, ()))
            yield self._item(point, ItemKind.SILENCE, _falling_silent(point, within), covered)

    def _of_permissive(self, permissive: Permissive, system: System) -> Iterator[Item]:
        condition = permissive.condition
        devices = self._devices((permissive.point, condition.point))
        if not devices:
            return
        yield Item(
            f"{permissive.point}:{ItemKind.PERMISSIVE}:{condition.point}",
            ItemKind.PERMISSIVE,
            permissive.point,
            devices,
            frozenset({system.id}),
            _permitting(permissive),
            self._hashes.of_permissive(permissive),
        )

    def _of_fire(self, fire: FireInput) -> Iterator[Item]:
        affected = (*fire.lights, *fire.ventilation, *fire.plant)
        devices = self._devices((fire.point, *affected))
        if not devices:
            return
        yield Item(
            f"{fire.point}:{ItemKind.FIRE}",
            ItemKind.FIRE,
            fire.point,
            devices,
            frozenset(self._owner[point] for point in affected),
            _telling_a_fire(fire),
            self._hashes.of_fire(fire),
        )

    def _of_exclusion(self, exclusion: Exclusion, system: System) -> Iterator[Item]:
        """One test a pair: each of the two beside the other."""
        for one, other in combinations(exclusion.members, 2):
            devices = self._devices((one.point, other.point))
            if devices:
                yield Item(
                    f"{one.point}:{ItemKind.EXCLUSION}:{other.point}",
                    ItemKind.EXCLUSION,
                    one.point,
                    devices,
                    frozenset({system.id}),
                    _excluding(one, other),
                    self._hashes.of_exclusion(one, other),
                )

    def _of_handing_back(self, system: System) -> Iterator[Item]:
        devices = self._devices(system.points)
        if not devices:
            return
        yield Item(
            f"{system.id}:{ItemKind.HAND_BACK}",
            ItemKind.HAND_BACK,
            system.id,
            devices,
            frozenset({system.id}),
            _handing_back(system),
            self._hashes.of_system(system),
        )

    def _item(self, point: Point, kind: ItemKind, test: Text, configuration: str | None = None) -> Item:
        required_by = set(self._leaning.get(point.id, ()))
        if point.id in self._owner:
            required_by.add(self._owner[point.id])
        return Item(
            f"{point.id}:{kind}",
            kind,
            point.id,
            frozenset({self._device_of[point.id]}),
            frozenset(required_by),
            test,
            configuration or self._hashes.of_point(point.id),
        )

    def _devices(self, points: Iterable[PointId]) -> frozenset[str]:
        return frozenset(self._device_of[point] for point in points if point in self._device_of)


def _leaning(site: Site) -> Mapping[PointId, set[str]]:
    """Points that are only read -> the systems whose writing leans on them: read-backs, effects, conditions of
    interlocks and of letting go, and what their strategies decide by."""
    found: dict[PointId, set[str]] = {}
    for system in site.systems:
        for point in (*_shown_by(site, system), *_conditions(system), *_decided_by(site.mounts, system)):
            if point not in system.points:
                found.setdefault(point, set()).add(system.id)
    return found


def _shown_by(site: Site, system: System) -> Iterator[PointId]:
    for point in system.points:
        writable = site.points[point].writable
        if writable is not None:
            yield writable.readback
            if writable.effect is not None:
                yield writable.effect.point


def _conditions(system: System) -> Iterator[PointId]:
    yield from (each.condition.point for each in system.permissives)
    yield from (each.off.point for exclusion in system.exclusions for each in exclusion.members if each.off)
    yield from (condition.point for step in system.release for condition in step.conditions)


def _decided_by(mounts: Sequence[Mount], system: System) -> Iterator[PointId]:
    for mount in mounts:
        commanded = {mount.roles[role] for role in mount.strategy.outputs if role in mount.roles}
        if mount.mode is Mode.AUTO and not commanded.isdisjoint(system.points):
            yield from (mount.roles[role] for role in mount.strategy.inputs if role in mount.roles)


# --- what is to be done -----------------------------------------------------------------------------------------------


def _reading(point: Point) -> Text:
    if point.type in (ValueType.BOOLEAN, ValueType.TEXT):
        return Text("see each state at the equipment and here", "在设备处与此处核对每个状态")
    return Text("compare with a reference instrument", "与标准仪表比对")


def _commanding(point: Point, writable: Writable) -> Text:
    seen_at = writable.readback if writable.effect is None else writable.effect.point
    seen = f"; see it at the equipment and at {seen_at}"
    seen_zh = f"；在设备处及 {seen_at} 确认"
    if point.type is ValueType.BOOLEAN:
        return Text(f"command on, then off{seen}", f"先发开命令，再发关命令{seen_zh}")
    if point.type is ValueType.TEXT:
        states = ", ".join(point.states)
        return Text(f"command each of {states}{seen}", f"依次命令 {states}{seen_zh}")
    low, high = (_amount(each, point.unit) for each in writable.range)
    return Text(
        f"command two values between {low} and {high}, up and down{seen}",
        f"在 {low} 至 {high} 间上调、下调各命令一次{seen_zh}",
    )


def _releasing(point: Point, writable: Writable) -> Text:
    match writable.release:
        case ReleaseNull():
            return Text(
                "end the command: our slot at the device is empty, the original controls have it",
                "结束命令：设备内本控槽位清空，由原有控制接管",
            )
        case RemoteBit(point=remote):
            return Text(
                f"end the command: {remote} clears, the original controls have it",
                f"结束命令：{remote} 复位，由原有控制接管",
            )
        case SafeValue(value=value):
            return Text(f"end the command: the device shows {_shown(value)}", f"结束命令：设备显示 {_shown(value)}")
        case Restore(within=within):
            return Text(
                f"end the command: the value of before is back, within {within.low:g} to {within.high:g}",
                f"结束命令：恢复原值，且在 {within.low:g} 至 {within.high:g} 之内",
            )


def _falling_silent(point: Point, within: float) -> Text:
    return Text(
        f"fall silent: the device drops it within {within:g} s (commission SITE silence {point.id})",
        f"停止刷新：设备在 {within:g} 秒内放弃（commission SITE silence {point.id}）",
    )


def _permitting(permissive: Permissive) -> Text:
    condition = permissive.condition
    needed = _shown(condition.value)
    return Text(
        f"with {condition.point} other than {needed}: a start is refused, a running unit stops or is handed back",
        f"当 {condition.point} 不为 {needed}：拒绝启动；运行中则停止或交还",
    )


def _telling_a_fire(fire: FireInput) -> Text:
    counts = f"{len(fire.lights)}, {len(fire.ventilation)}, {len(fire.plant)}"
    return Text(
        f"let the panel give its signal: lights full, ventilation and plant let go until the reset ({counts} points); "
        "then pull the cable of the input: lights full",
        f"由火灾报警控制器发出信号：照明全亮，通风与冷源释放直至复位（{counts} 点）；再断开输入线：照明全亮",
    )


def _excluding(one: Member, other: Member) -> Text:
    return Text(
        f"with {one.point} on, command {other.point} on: it stays off; then the other way round",
        f"{one.point} 开启时命令 {other.point} 开启：应保持关闭；反之亦然",
    )


def _handing_back(system: System) -> Text:
    within = system.release_within.total_seconds()
    return Text(
        f"hand the system back while it runs: let go in the declared order within {within:g} s",
        f"运行中交还系统：按声明顺序在 {within:g} 秒内全部释放",
    )


def _amount(value: float, unit: Unit) -> str:
    """As people write it: 25 %, 7 °C."""
    if unit is Unit.FRACTION:
        return f"{value * 100:g} %"
    return f"{value:g} {_SIGNS.get(unit, unit.value)}".rstrip()


_SIGNS = {Unit.CELSIUS: "°C", Unit.NONE: ""}


def _shown(value: Scalar) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
