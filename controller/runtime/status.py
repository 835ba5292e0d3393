"""What the daemon shows of itself: plain JSON, the same for the command line, the live view and the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from controller.core.availability import Lockout, Standing
from controller.core.command import Command
from controller.core.event import Event, JsonValue
from controller.core.forecast import STEP
from controller.core.ledger import Holding
from controller.core.point import PointId, equipment_of
from controller.core.sample import Sample
from controller.core.strategy import InputState
from controller.core.tariff import Tariff
from controller.core.text import Text
from controller.core.work_order import WorkOrder
from controller.runtime.alarm_rows import counts, row, rows
from controller.runtime.commissioning import body_of
from controller.runtime.control import Control
from controller.runtime.daemon import Daemon
from controller.runtime.forwarder import Forwarder
from controller.runtime.inspector import Inspected
from controller.runtime.link import LinkTask
from controller.runtime.listed_alarm import Alarm
from controller.runtime.load_forecasts import LoadForecast, rounded
from controller.runtime.mounted import MountedStrategy
from controller.runtime.outbox import Outbox
from controller.runtime.silence import Measurement
from controller.runtime.siren import SirenControl

Json = dict[str, JsonValue]

# A page or a terminal shows no more.
RECENT_EVENTS = 30
# Of one point: taken, read back, overridden, let go.
LATEST_EVENTS = 5


def status(daemon: Daemon) -> Json:
    """Everything at a glance; ages in seconds."""
    scan = daemon.scan
    return {
        "site": daemon.site.name,
        "now": daemon.clock.now().isoformat(),
        "time_zone": str(daemon.site.zone),
        "configuration": daemon.site.digest,
        "scan": {
            "count": scan.count,
            "period_s": daemon.site.scan_every.total_seconds(),
            "actual_period_s": round(scan.times.actual_period, 3),
            "missed": scan.times.overruns.missed,
            "overruns": scan.times.overruns.count,
            "late_by_longest_s": round(scan.times.overruns.longest, 3),
            "letting_go": scan.letting_go,
        },
        "wall_clock_doubt": None if daemon.clock_watch.doubt is None else text(daemon.clock_watch.doubt),
        "links": [_link(link) for link in daemon.links],
        "systems": [
            {
                "id": system.id,
                "name": text(system.name),
                "authority": daemon.authority[system.id].value,
                "release_within_s": system.release_within.total_seconds(),
                "vetoes": [
                    {"source": source, **text(reason)}
                    for source, reason in daemon.authorities.vetoes.of(system.id).items()
                ],
                "ab_days": daemon.ab_days.shown(system.id),
                "commissioning_ends_in_s": daemon.authorities.remaining(system.id),
                "held": [str(point) for point in daemon.writer.ledger.held_of(system)],
            }
            for system in daemon.site.systems
        ],
        "unavailable": unavailable(daemon),
        "strategies": [_strategy(strategy, daemon.clock.monotonic()) for strategy in daemon.strategies],
        "tariff": None if daemon.site.tariff is None else _tariff(daemon.site.tariff, daemon.clock.now()),
        "forecasts": [_forecast(daemon, each) for each in daemon.forecasts.all],
        "history": {
            "pending": daemon.recorder.pending,
            "dropped": daemon.recorder.dropped + daemon.journal.dropped,
            "remote": None if daemon.forwarder is None else _forwarder(daemon.forwarder),
        },
        "writes": daemon.writer.writes,
        "alarms": alarm_counts(daemon),
        "fire": _fire_inputs(daemon),
        "events": [event(each) for each in list(daemon.journal.recent)[-RECENT_EVENTS:]],
    }


def unavailable(daemon: Daemon) -> list[JsonValue]:
    """The equipment that is not in auto, and why; nobody commands it."""
    return [
        {
            "equipment": equipment,
            **_standing(standing),
            "needs_a_person": daemon.availabilities.needs_a_person(equipment),
        }
        for equipment, standing in daemon.availabilities.unavailable.items()
    ]


def lockouts(daemon: Daemon) -> Json:
    """People's locks, and all that is not in auto."""
    return {
        "time_zone": str(daemon.site.zone),
        "lockouts": [lockout(each) for each in daemon.availabilities.lockouts()],
        "unavailable": unavailable(daemon),
    }


def lockout(each: Lockout) -> Json:
    return {
        "equipment": each.equipment,
        "who": each.who,
        "reason": each.reason,
        "since": each.since.isoformat(),
    }


def _standing(standing: Standing) -> Json:
    return {"availability": standing.availability.value, "reason": text(standing.reason)}


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
    shown["availability"] = _standing(daemon.availabilities.standings[equipment_of(point)])
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


def _ago(at: float | None, monotonic: float) -> float | None:
    return None if at is None else round(monotonic - at, 1)


def fire(daemon: Daemon) -> Json:
    return {"time_zone": str(daemon.site.zone), "inputs": _fire_inputs(daemon)}


def _fire_inputs(daemon: Daemon) -> list[JsonValue]:
    """since: of the fire that nobody has reset. The lists tell what each is meant for."""
    return [
        {
            "input": str(each.input.point),
            "state": each.standing.state.value,
            "is_latched": each.standing.is_latched,
            "since": None if each.since is None else each.since.isoformat(),
            "lights": [str(point) for point in each.input.lights],
            "ventilation": [str(point) for point in each.input.ventilation],
            "plant": [str(point) for point in each.input.plant],
        }
        for each in daemon.fire.all
    ]


def alarms(daemon: Daemon, *, everything: bool) -> Json:
    """The list of alarms; `everything` with what is normal or suppressed."""
    present, monotonic = daemon.image.present, daemon.clock.monotonic()
    return {
        "now": daemon.clock.now().isoformat(),
        "time_zone": str(daemon.site.zone),
        "counts": alarm_counts(daemon),
        "messages": [] if daemon.messages is None else [_outbox(each) for each in daemon.messages.outboxes.values()],
        "siren": _siren(daemon.siren),
        "work_orders": [work_order(each) for each in daemon.work_orders.all if everything or each.is_open],
        "alarms": rows(daemon.alarms.all, daemon.site.points, present, monotonic, everything=everything),
    }


def alarm_counts(daemon: Daemon) -> Json:
    return {**counts(daemon.alarms.all), "work_orders": len(daemon.work_orders.open)}


def work_order(order: WorkOrder) -> Json:
    """opened, closed: ISO, UTC; closed is null while there is still something to be done."""
    return {
        "number": order.number,
        "alarm": str(order.alarm),
        "opened": order.opened.isoformat(),
        "opened_by": order.opened_by,
        "text": order.text,
        "closed": None if order.closed is None else order.closed.isoformat(),
        "closed_by": order.closed_by,
        "done": order.done,
        "even_so": order.even_so,
    }


def _siren(siren: SirenControl | None) -> Json | None:
    """calling: the alarms for which it sounds, or would if its system were ours."""
    if siren is None:
        return None
    return {"point": siren.siren.point, "sounds": siren.sounds, "calling": [str(each) for each in siren.calling]}


def _outbox(outbox: Outbox) -> Json:
    return {
        "route": outbox.name,
        "sent": outbox.sent,
        "waiting": outbox.waiting,
        "failed": outbox.failed,
        "dropped": outbox.dropped,
        "trouble": outbox.trouble,
    }


def alarm(daemon: Daemon, each: Alarm) -> Json:
    return row(each, daemon.site.points, daemon.image.present, daemon.clock.monotonic())


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


def measurement(each: Measurement | None) -> Json | None:
    """The measurement of silence that runs, or ran last; None where there was none. Times in seconds of the wire."""
    if each is None:
        return None
    return {
        "item": each.item.id,
        "phase": each.phase.value,
        "seconds": round(each.seconds, 1),
        "declared_s": each.declared,
        "limit_s": each.limit,
        "commanded": {str(point): value for point, value in each.wishes.items()},
        "dropped": {
            str(point): None if point not in each.dropped else round(each.dropped[point].by, 1)
            for point in each.watched
        },
        "note": text(each.note),
        "record": None if each.record is None else body_of(each.record),
    }


def text(both: Text) -> Json:
    return {"en": both.en, "zh": both.zh}


def event(each: Event) -> Json:
    return {"at": each.at.isoformat(), "kind": each.kind.value, "subject": each.subject, "body": dict(each.body)}


def _samples(daemon: Daemon) -> Mapping[PointId, Sample]:
    return daemon.scan.frozen.samples if daemon.scan.frozen is not None else daemon.image.present


def _forwarder(forwarder: Forwarder) -> Json:
    return {
        "name": forwarder.name,
        "trouble": forwarder.trouble,
        "sent": forwarder.sent,
        "pending": forwarder.pending,
        "dropped": forwarder.dropped,
        "refused": forwarder.refused,
    }


def _link(link: LinkTask) -> Json:
    return {"id": link.link.id, "driver": link.link.driver.name, "up": link.is_up, "trouble": link.trouble}


def _strategy(strategy: MountedStrategy, monotonic: float) -> Json:
    fault = strategy.fault
    return {
        "id": strategy.mount.id,
        "strategy": strategy.mount.kind.name,
        "title": text(strategy.mount.kind.title),
        "mode": strategy.mode.value,
        "reason": text(strategy.reason),
        "fault": None if fault is None else fault.description,
        "is_off_by_faults": strategy.faults.is_off,
        "wishes": {str(point): value for point, value in strategy.wishes.items()},
        "inputs": {
            str(role): state.value for role, state in strategy.ladders.states.items() if state is not InputState.GOOD
        },
        "plan_age_s": None if strategy.plan is None else round(monotonic - strategy.plan_made, 1),
    }


def _forecast(daemon: Daemon, each: LoadForecast) -> Json:
    """values: of each `step_s` from `start`; None where there is no forecast, or it is over. score: of the latest one
    whose time has come."""
    forecast, trained = daemon.forecasts.present(each.target.point, daemon.clock.now()), each.trained
    return {
        "point": str(each.target.point),
        "start": None if forecast is None else forecast.start.isoformat(),
        "step_s": STEP.total_seconds(),
        "values": None if forecast is None else [rounded(value) for value in forecast.values],
        "source": None if forecast is None else forecast.source.value,
        "trained": None if trained is None else trained.at.isoformat(),
        "reason": None if trained is None else text(trained.reason),
        "score": None if each.score is None else dict(each.score),
        "trouble": dict(each.troubles),
        "failures": each.failures,
    }


def _tariff(tariff: Tariff, now: datetime) -> Json:
    """today: the bands of the local day, empty where nothing is in force. price: money per kWh. carbon_factor: kg CO2
    per kWh. next_change: band and name are None where the tariff ends."""
    change = tariff.next_change(now)
    return {
        "title": text(tariff.title),
        "currency": tariff.currency,
        "carbon_factor": tariff.carbon_factor,
        "today": [
            {
                "start": each.start.isoformat(),
                "end": each.end.isoformat(),
                "band": each.band.value,
                "name": text(tariff.band_name(each.band)),
                "price": each.price,
            }
            for each in tariff.bands_of_day(now.astimezone(tariff.zone).date())
        ],
        "next_change": None
        if change is None
        else {
            "at": change.at.isoformat(),
            "band": None if change.band is None else change.band.value,
            "name": None if change.band is None else text(tariff.band_name(change.band)),
        },
    }


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
