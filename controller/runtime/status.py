"""What the daemon shows of itself: plain JSON, the same for the command line, the live view and the page."""

from __future__ import annotations

from datetime import datetime

from controller.core.event import JsonValue
from controller.core.forecast import STEP
from controller.core.strategy import InputState
from controller.core.tariff import Tariff
from controller.runtime.alarm_status import alarm_counts
from controller.runtime.availability_status import unavailable
from controller.runtime.daemon import Daemon
from controller.runtime.forwarder import Forwarder
from controller.runtime.link import LinkTask
from controller.runtime.load_forecasts import LoadForecast, rounded
from controller.runtime.mounted import MountedStrategy
from controller.runtime.shown import Json, event, text

# A page or a terminal shows no more.
RECENT_EVENTS = 30


def status(daemon: Daemon) -> Json:
    """Everything at a glance; ages in seconds."""
    scan = daemon.scan
    return {
        "site": daemon.site.name,
        "now": daemon.clock.now().isoformat(),
        "time_zone": str(daemon.site.zone),
        "configuration": daemon.site.digest,
        "reload": daemon.site.reload,
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
