"""What is shown of points, and why each is as it is."""

from __future__ import annotations

from collections.abc import Mapping

from controller.core.command import Command
from controller.core.ledger import Holding
from controller.core.point import PointId, equipment_of
from controller.core.sample import Sample
from controller.runtime.availability_status import standing
from controller.runtime.control import Control
from controller.runtime.daemon import Daemon
from controller.runtime.inspector import Inspected
from controller.runtime.shown import Json, event, text

# Of one point: taken, read back, overridden, let go.
LATEST_EVENTS = 5


def points(daemon: Daemon) -> Json:
    """Every point with its present sample and, if it is writable, who holds it."""
    samples = _samples(daemon)
    return {str(point): sample_of(daemon, point, samples[point]) for point in daemon.site.points}


def sample_of(daemon: Daemon, point: PointId, sample: Sample) -> Json:
    definition = daemon.site.points[point]
    shown: Json = {
        "value": sample.value,
        "unit": definition.unit.value,
        "quality": sample.quality.name.lower(),
        "reason": sample.reason,
        "age_s": round(sample.age(daemon.clock.monotonic()), 3),
        "timestamp": sample.timestamp.isoformat(),
        "kind": definition.kind.value,
        "equipment_class": daemon.site.equipment.get(definition.equipment),
        "availability": daemon.availabilities.standings[definition.equipment].availability.value,
    }
    control = daemon.scan.controls.get(point)
    if control is not None:
        shown["commanded"] = _outcome(daemon, point, control)
    return shown


def explain(daemon: Daemon, point: PointId) -> Json:
    """Who holds the point, who lost, which limit acted, what was read back, when. Raises KeyError if there is none.

    lately: its latest events, oldest first.
    """
    samples = _samples(daemon)
    monotonic = daemon.clock.monotonic()
    shown: Json = {"point": str(point), "sample": sample_of(daemon, point, samples[point])}
    system = next((each for each in daemon.site.systems if point in each.points), None)
    if system is not None:
        shown["system"] = system.id
        shown["authority"] = daemon.authority[system.id].value
    shown["availability"] = standing(daemon.availabilities.standings[equipment_of(point)])
    holding = daemon.writer.holdings.get(point)
    if holding is not None:
        shown["holding"] = _holding(holding, monotonic)
    shown["fire"] = next((each.standing.state.value for each in daemon.fire.all if each.input.point == point), None)
    control = daemon.scan.controls.get(point)
    if control is not None:
        shown["winner"] = _command(control.array.winner, monotonic)
        shown["won_ago_s"] = _ago(control.won_at, monotonic)
        shown["losers"] = [_command(each, monotonic) for each in control.array.losers()]
        shown["shadow"] = _command(control.shadow.winner, monotonic)
        shown["allowed"] = control.allowed
        shown["limit"] = text(control.limit)
        shown["limited_ago_s"] = _ago(control.limited_at, monotonic)
        shown["waiting"] = text(control.waiting)
    writable = daemon.site.points[point].writable
    if writable is not None:
        shown["readback_point"] = str(writable.readback)
        shown["readback"] = sample_of(daemon, writable.readback, samples[writable.readback])
    shown["time_zone"] = str(daemon.site.zone)
    latest = [each for each in daemon.journal.recent if each.subject == point][-LATEST_EVENTS:]
    shown["lately"] = [event(each) for each in latest]
    return shown


def inspected(daemon: Daemon, point: PointId, seen: Inspected) -> Json:
    """The sample as the device gave it just now, raw beside scaled; round_trip_ms: of the wire."""
    sample = seen.inspection.sample
    return {
        "point": str(point),
        "value": sample.value,
        "unit": daemon.site.points[point].unit.value,
        "quality": sample.quality.name.lower(),
        "reason": sample.reason,
        "timestamp": sample.timestamp.isoformat(),
        "raw": seen.inspection.raw,
        "round_trip_ms": round(seen.round_trip * 1000.0, 1),
    }


def _samples(daemon: Daemon) -> Mapping[PointId, Sample]:
    return daemon.scan.frozen.samples if daemon.scan.frozen is not None else daemon.image.present


def _outcome(daemon: Daemon, point: PointId, control: Control) -> Json:
    winner = control.array.winner
    holding = daemon.writer.holdings.get(point)
    return {
        "allowed": control.allowed,
        "source": None if winner is None else winner.source,
        "reason": text(winner.reason) if winner is not None else None,
        "limit": text(control.limit),
        "waiting": text(control.waiting),
        "authority": daemon.authority[control.system.id].value,
        "verdict": None if holding is None else holding.verdict.value,
        "effect_missing": holding is not None and holding.effect_missing,
    }


def _command(command: Command | None, monotonic: float) -> Json | None:
    if command is None:
        return None
    return {
        "value": command.value,
        "priority": int(command.priority),
        "level": command.priority.name.lower(),
        "source": command.source,
        "reason": text(command.reason),
        "ends_in_s": round(command.ends - monotonic, 1),
    }


def _holding(holding: Holding, monotonic: float) -> Json:
    shown: Json = {
        "written": holding.value,
        "before": holding.before,
        "read": holding.seen,
        "verdict": holding.verdict.value,
        "verdict_for_s": round(monotonic - holding.since, 1),
        "attempts": holding.attempts,
        "releasing": holding.releasing,
        "refusal": holding.refusal,
        "effect_missing": holding.effect_missing,
    }
    if abs(holding.written) != float("inf"):
        shown["written_ago_s"] = round(monotonic - holding.written, 1)
    return shown


def _ago(at: float | None, monotonic: float) -> float | None:
    return None if at is None else round(monotonic - at, 1)
