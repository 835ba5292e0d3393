"""How the running daemon itself is: facts, and what is wrong with them, as plain JSON."""

from __future__ import annotations

import math
from importlib.metadata import version

from controller.core.errors import EnvironmentProblem
from controller.core.health import Facts, Finding, findings
from controller.runtime.alarm_rows import counts
from controller.runtime.daemon import Daemon
from controller.runtime.shown import Json, text


async def health(daemon: Daemon) -> Json:
    """Ages and durations in seconds."""
    facts = await _facts(daemon)
    scan = daemon.scan
    return {
        "version": version("tidewatt"),
        "configuration": daemon.site.digest,
        "reload": daemon.site.reload,
        "running_for_s": _rounded(facts.running_for),
        "earlier_run_ended_cleanly": facts.earlier_run_ended_cleanly,
        "scan": {
            "count": scan.count,
            "period_s": facts.scan_every,
            "age_s": _rounded(facts.scan_age),
            "period_longest_s": _rounded(scan.times.longest_period),
            "overruns": facts.overruns,
            "missed": facts.missed,
            "overrun_ago_s": _rounded(facts.overrun_ago),
            "late_by_s": _rounded(facts.late_by),
            "late_by_longest_s": _rounded(scan.times.overruns.longest),
        },
        "links": {link.link.id: {"up": link.is_up, "trouble": link.trouble} for link in daemon.links},
        "history": {
            "behind_s": _rounded(facts.history_behind),
            "pending": daemon.recorder.pending,
            "dropped": facts.history_dropped,
            "trouble": facts.history_trouble,
        },
        "store": {"trouble": facts.store_trouble},
        "authority": {system: authority.value for system, authority in daemon.authority.items()},
        "held": len(daemon.writer.holdings),
        "alarms": {**counts(daemon.alarms.all), "work_orders": len(daemon.work_orders.open)},
        "findings": [as_json(each) for each in findings(facts)],
    }


def as_json(finding: Finding) -> Json:
    return {
        "subject": finding.subject,
        "severity": finding.severity.value,
        "wrong": text(finding.wrong),
        "right": text(finding.right),
    }


async def _facts(daemon: Daemon) -> Facts:
    scan, recorder, monotonic = daemon.scan, daemon.recorder, daemon.clock.monotonic()
    overrun_ago = monotonic - scan.times.overruns.at
    return Facts(
        scan_every=daemon.site.scan_every.total_seconds(),
        scan_age=None if scan.frozen is None else monotonic - scan.frozen.monotonic,
        overruns=scan.times.overruns.count,
        missed=scan.times.overruns.missed,
        late_by=scan.times.overruns.late_by,
        overrun_ago=overrun_ago if overrun_ago < math.inf else None,
        links_down={link.link.id: link.trouble for link in daemon.links if not link.is_up},
        history_behind=recorder.behind,
        history_trouble=recorder.trouble,
        history_dropped=recorder.dropped + daemon.journal.dropped,
        store_trouble=await _store_trouble(daemon),
        faults={
            each.mount.id: "" if each.fault is None else each.fault.description
            for each in daemon.strategies
            if each.faults.is_off
        },
        clock_doubt=daemon.clock_watch.doubt,
        running_for=monotonic - daemon.began,
        earlier_run_ended_cleanly=daemon.earlier_run_ended_cleanly,
        is_latched=daemon.exit_latch.is_latched,
    )


async def _store_trouble(daemon: Daemon) -> str:
    try:
        await daemon.store.prove()
    except EnvironmentProblem as error:
        return str(error)
    return ""


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
