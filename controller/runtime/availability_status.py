"""What is shown of equipment that is not in auto, and of people's locks."""

from __future__ import annotations

from controller.core.availability import Lockout, Standing
from controller.core.event import JsonValue
from controller.runtime.daemon import Daemon
from controller.runtime.shown import Json, text


def unavailable(daemon: Daemon) -> list[JsonValue]:
    """The equipment that is not in auto, and why; nobody commands it."""
    return [
        {
            "equipment": equipment,
            **standing(each),
            "needs_a_person": daemon.availabilities.needs_a_person(equipment),
        }
        for equipment, each in daemon.availabilities.unavailable.items()
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


def standing(each: Standing) -> Json:
    return {"availability": each.availability.value, "reason": text(each.reason)}
