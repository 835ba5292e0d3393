"""How long an equipment ran, was off and was out of sight, and how often it started. Pure.

Only a GOOD status counts. What nobody saw is told as unknown and never taken for off: run, off and unknown time add up
to the time since somebody first looked. A status holds from one sample to the next; time is credited up to the last
sample that was seen, never up to now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from controller.core.sample import Sample, as_number

HOUR_S = 3600.0
# Of a status that flickers no more is kept; far beyond every limit of starts.
_MOST_RECENT = 120


@dataclass(frozen=True, slots=True)
class Run:
    """ended: monotonic. lasted: seconds."""

    ended: float
    lasted: float


@dataclass(frozen=True, slots=True)
class RunRecord:
    """begun: when somebody first looked, aware UTC. at: monotonic, until when all time is accounted for.

    is_running: what was seen last, None if nothing ever was; is_known: whether it is still seen. last_start, last_stop:
    aware UTC. run_began: monotonic, None where the beginning of this run was not seen. recent_starts (monotonic) and
    recent_runs: of the last hour.
    """

    begun: datetime
    at: float
    run_s: float = 0.0
    off_s: float = 0.0
    unknown_s: float = 0.0
    starts: int = 0
    is_running: bool | None = None
    is_known: bool = False
    last_start: datetime | None = None
    last_stop: datetime | None = None
    run_began: float | None = None
    recent_starts: tuple[float, ...] = ()
    recent_runs: tuple[Run, ...] = ()


def accounted(record: RunRecord, until: float) -> RunRecord:
    """The time up to `until`, monotonic, credited to the state that was last seen."""
    passed = until - record.at
    if passed <= 0:
        return record
    run_s, off_s, unknown_s = record.run_s, record.off_s, record.unknown_s
    if not record.is_known or record.is_running is None:
        unknown_s += passed
    elif record.is_running:
        run_s += passed
    else:
        off_s += passed
    # Written out: `replace` takes four times as long, and every machine's time is looked at every minute.
    return RunRecord(
        record.begun,
        until,
        run_s,
        off_s,
        unknown_s,
        record.starts,
        record.is_running,
        record.is_known,
        record.last_start,
        record.last_stop,
        record.run_began,
        record.recent_starts,
        record.recent_runs,
    )


def seen(record: RunRecord, status: Sample) -> RunRecord:
    """After another sample of the status."""
    record = _without_old(accounted(record, status.received), status.received)
    value = as_number(status.value) if status.is_good else None
    if value is None:
        return replace(record, is_known=False, run_began=None)
    is_running = bool(value)
    if is_running and record.is_running is False:
        record = _started(record, status)
    elif not is_running and record.is_running:
        record = _stopped(record, status)
    return replace(record, is_running=is_running, is_known=True)


def up_to_date(record: RunRecord, status: Sample, monotonic: float) -> RunRecord:
    """As of now: what is seen, up to its last sample; what is not seen, up to now."""
    return accounted(record, status.received if record.is_known else monotonic)


def after_absence(record: RunRecord, absent_s: float, saved: float, monotonic: float) -> RunRecord:
    """A stored record in another run of the daemon. absent_s: between the saving and now; saved: monotonic then.

    What happened meanwhile is unknown until the status is seen. An end of the absence that lies before its beginning
    (a wall clock that was set back) is none at all.
    """
    shift = monotonic - max(0.0, absent_s) - saved
    return replace(
        record,
        at=min(record.at + shift, monotonic),
        is_known=False,
        run_began=None,
        recent_starts=tuple(each + shift for each in record.recent_starts),
        recent_runs=tuple(replace(each, ended=each.ended + shift) for each in record.recent_runs),
    )


def _started(record: RunRecord, status: Sample) -> RunRecord:
    """Also a start that fell into a gap counts, once: it was off before and runs after. When, nobody knows."""
    return replace(
        record,
        starts=record.starts + 1,
        last_start=status.timestamp,
        run_began=status.received if record.is_known else None,
        recent_starts=(*record.recent_starts, status.received)[-_MOST_RECENT:],
    )


def _stopped(record: RunRecord, status: Sample) -> RunRecord:
    runs = record.recent_runs
    if record.run_began is not None:
        runs = (*runs, Run(status.received, status.received - record.run_began))[-_MOST_RECENT:]
    return replace(record, last_stop=status.timestamp, run_began=None, recent_runs=runs)


def _without_old(record: RunRecord, monotonic: float) -> RunRecord:
    if not record.recent_starts and not record.recent_runs:
        return record
    since = monotonic - HOUR_S
    return replace(
        record,
        recent_starts=tuple(each for each in record.recent_starts if each > since),
        recent_runs=tuple(each for each in record.recent_runs if each.ended > since),
    )
