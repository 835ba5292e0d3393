"""What is shown of alarms, of who was told, and of what is to be done about them."""

from __future__ import annotations

from controller.core.work_order import WorkOrder
from controller.runtime.alarm_rows import counts, row, rows
from controller.runtime.daemon import Daemon
from controller.runtime.listed_alarm import Alarm
from controller.runtime.outbox import Outbox
from controller.runtime.shown import Json
from controller.runtime.siren import SirenControl


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


def alarm(daemon: Daemon, each: Alarm) -> Json:
    return row(each, daemon.site.points, daemon.image.present, daemon.clock.monotonic())


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
