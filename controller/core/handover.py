"""Taking machines over and handing them back: remote bits, heartbeats, and the order of letting go. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from controller.core.ledger import Holding, Verdict
from controller.core.point import Heartbeat, Point, PointId, PointKind, RemoteBit
from controller.core.sample import Scalar
from controller.core.system import Condition, System
from controller.core.text import Text


@dataclass(frozen=True, slots=True)
class Machine:
    """What one remote bit hands over. The bit is set only while every command of the machine is wished, because it
    hands over all of them; setpoints may stay as they are."""

    remote: PointId
    commands: tuple[PointId, ...]
    setpoints: tuple[PointId, ...]

    @property
    def points(self) -> tuple[PointId, ...]:
        return (*self.commands, *self.setpoints)


@dataclass(frozen=True, slots=True)
class Lifeline:
    """A heartbeat and the points that the device drops when it stops."""

    heartbeat: PointId
    period: float
    points: frozenset[PointId]


# The heartbeat changes this often within the time after which the device drops us.
BEATS_WITHIN_TIMEOUT = 4
HEARTBEAT_MODULUS = 30_000  # fits a signed 16-bit register


def machines_of(points: Iterable[Point]) -> tuple[Machine, ...]:
    members: dict[PointId, list[Point]] = {}
    for point in points:
        if point.writable is not None and isinstance(point.writable.release, RemoteBit):
            members.setdefault(point.writable.release.point, []).append(point)
    return tuple(
        Machine(
            remote,
            tuple(point.id for point in of_machine if point.kind is PointKind.COMMAND),
            tuple(point.id for point in of_machine if point.kind is not PointKind.COMMAND),
        )
        for remote, of_machine in members.items()
    )


def lifelines_of(points: Iterable[Point]) -> tuple[Lifeline, ...]:
    members: dict[Heartbeat, set[PointId]] = {}
    for point in points:
        if point.writable is not None and isinstance(point.writable.on_silence, Heartbeat):
            members.setdefault(point.writable.on_silence, set()).add(point.id)
    return tuple(
        Lifeline(each.point, each.after.total_seconds() / BEATS_WITHIN_TIMEOUT, frozenset(ids - {each.point}))
        for each, ids in members.items()
    )


def handed_over(
    machines: Iterable[Machine],
    wanted: Mapping[PointId, Scalar],
    holdings: Mapping[PointId, Holding],
    yielding: Collection[PointId],
) -> tuple[dict[PointId, Scalar], dict[PointId, Text]]:
    """The wishes with remote bits added, and why some points have to wait.

    A machine that lacks a command is not taken at all. Its bit follows its values, never precedes them; while somebody
    overrides the bit, nothing of the machine is written.
    """
    result = dict(wanted)
    waiting: dict[PointId, Text] = {}
    for machine in machines:
        lacking = next((point for point in machine.commands if point not in wanted), None)
        if lacking is not None:
            _leave(machine, lacking, result, waiting)
        elif machine.remote in yielding or _may_be_ours(machine, holdings):
            result[machine.remote] = True
    return result, waiting


def _leave(machine: Machine, lacking: PointId, result: dict[PointId, Scalar], waiting: dict[PointId, Text]) -> None:
    for point in machine.points:
        if result.pop(point, None) is not None:
            waiting[point] = Text(
                f"waits: {lacking} is not commanded, and {machine.remote} hands over both",
                f"等待: {lacking} 无命令, 而 {machine.remote} 同时移交两者",
            )


def _may_be_ours(machine: Machine, holdings: Mapping[PointId, Holding]) -> bool:
    commands = [holdings.get(point) for point in machine.commands]
    remote = holdings.get(machine.remote)
    if remote is None or remote.releasing:
        return all(_is_believed(holding) for holding in commands)
    # Once it is ours, only a machine that does not obey goes back.
    return not any(holding is not None and holding.verdict is Verdict.IGNORED for holding in commands)


def _is_believed(holding: Holding | None) -> bool:
    """The device has the value, or has accepted it for the first time; one that ignored it must show it first."""
    if holding is None or holding.releasing or holding.verdict is Verdict.IGNORED:
        return False
    return holding.verdict is Verdict.OWNED or (holding.written < math.inf and holding.attempts == 1)


def heartbeats(
    lifelines: Iterable[Lifeline], holdings: Collection[PointId], wanted: Collection[PointId], wire: float
) -> dict[PointId, Scalar]:
    """The heartbeats that must go on: of every lifeline on which something is held or wished."""
    return {
        lifeline.heartbeat: int(wire / lifeline.period) % HEARTBEAT_MODULUS
        for lifeline in lifelines
        if any(point in holdings or point in wanted for point in lifeline.points)
    }


def next_beat(lifelines: Iterable[Lifeline], wire: float) -> float:
    """Wire time at which the next heartbeat changes."""
    return min(((wire // each.period + 1.0) * each.period for each in lifelines), default=math.inf)


class ReleaseOrder:
    """Which points of a system may be let go now."""

    def __init__(self, system: System) -> None:
        self._steps = system.release
        self._step_of = {point: index for index, step in enumerate(system.release) for point in step.points}

    def may_let_go(self, point: PointId, holdings: Collection[PointId], fulfilled: Collection[Condition]) -> bool:
        """True once nothing of an earlier step is held any more and the conditions of its own step hold."""
        index = self._step_of[point]
        if any(earlier in holdings for step in self._steps[:index] for earlier in step.points):
            return False
        step = self._steps[index]
        if not all(condition in fulfilled for condition in step.needs):
            return False
        return not step.after or any(condition in fulfilled for condition in step.after)
