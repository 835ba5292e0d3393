"""The ledger: what we hold at each device, whether it is believed, and what is to be done about it next.

A write is believed only when it is read back. Verdicts after design.md section 5. Everything here is pure; the writer
executes, the store keeps what is held.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from controller.core.point import (
    DeviceTimeout,
    PointId,
    ReleaseNull,
    RemoteBit,
    SafeValue,
    Writable,
    same_value,
)
from controller.core.sample import Sample, Scalar, as_number


class Verdict(StrEnum):
    """pending: written, read-back awaited. owned: read back. ignored: the device did not take it. overridden: it was
    ours and somebody changed it. implausible: the read-back is outside what the point can be."""

    PENDING = "pending"
    OWNED = "owned"
    IGNORED = "ignored"
    OVERRIDDEN = "overridden"
    IMPLAUSIBLE = "implausible"


class Holding(NamedTuple):
    """One point in our hands.

    value: what we wrote last. before: what stood there before us. written, since: monotonic time of the last write and
    of the verdict (written is infinite while bytes are on their way, and stays so where they were lost). asserted: wire
    time of the last write. adopted: not seen since an earlier run or a loss of sight. earlier: what an earlier run had
    written before `value`, whose bytes may never have left. releasing: the value that lets go has been written and its
    read-back is awaited; `value` is then still what we held.
    """

    point: PointId
    value: Scalar
    before: Scalar | None
    written: float
    asserted: float
    verdict: Verdict = Verdict.PENDING
    since: float = 0.0
    seen: Scalar | None = None
    attempts: int = 1
    adopted: bool = False
    earlier: Scalar | None = None
    releasing: bool = False
    refusal: str = ""
    effect_missing: bool = False


class Step(StrEnum):
    """keep: written again as it is, so that the device does not drop the point before its turn to be let go."""

    WRITE = "write"
    KEEP = "keep"
    RELEASE = "release"
    FORGET = "forget"


class Job(NamedTuple):
    """What the writer shall do next about a point; `value` is what to write (None: Null)."""

    point: PointId
    step: Step
    value: Scalar | None = None


# An ignored write is tried again after this many seconds, doubled each time up to the longest.
RETRY_FIRST_S = 10.0
RETRY_LONGEST_S = 600.0
# Where life safety is at stake it is tried again at least this often.
RETRY_INSISTING_S = 10.0


def judge(holding: Holding, sample: Sample, writable: Writable, monotonic: float) -> Holding | None:
    """The holding after its read-back point shows `sample`; None where an adopted one turns out to be gone."""
    if sample.received <= holding.written:
        return holding
    if holding.releasing:
        return holding._replace(seen=sample.value) if sample.is_good else holding
    if sample.value is not None and sample.is_good:
        return _compared(holding, sample.value, writable, monotonic)
    if sample.reason.startswith("implausible"):
        return _with_verdict(holding, Verdict.IMPLAUSIBLE, monotonic)
    if holding.verdict is Verdict.OVERRIDDEN:
        return holding
    # Out of sight the device may drop us by itself; what differs afterwards was nobody's override.
    return holding if holding.adopted else holding._replace(adopted=True)


def _compared(holding: Holding, seen: Scalar, writable: Writable, monotonic: float) -> Holding | None:
    if seen != holding.seen:
        holding = holding._replace(seen=seen)
    elif holding.verdict is Verdict.OWNED and not holding.adopted:
        return holding  # nothing has changed since the last look
    if same_value(seen, holding.value, writable.tolerance):
        if holding.verdict is Verdict.OVERRIDDEN:
            return _with_verdict(holding, Verdict.OWNED, monotonic)._replace(adopted=False)
        return _with_verdict(holding, Verdict.OWNED, monotonic)._replace(adopted=False, attempts=1, refusal="")
    if holding.adopted:
        if holding.earlier is None or not same_value(seen, holding.earlier, writable.tolerance):
            return None
        owned = _with_verdict(holding, Verdict.OWNED, monotonic)
        return owned._replace(value=holding.earlier, earlier=None, adopted=False)
    if holding.verdict is Verdict.OWNED:
        return _with_verdict(holding, Verdict.OVERRIDDEN, monotonic)
    if holding.verdict is Verdict.OVERRIDDEN or monotonic - holding.written <= writable.settle.total_seconds():
        return holding
    return _with_verdict(holding, Verdict.IGNORED, monotonic)


def _with_verdict(holding: Holding, verdict: Verdict, monotonic: float) -> Holding:
    if holding.verdict is verdict:
        return holding
    return holding._replace(verdict=verdict, since=monotonic)


class Times(NamedTuple):
    """The two clocks that a decision about a holding leans on."""

    monotonic: float
    wire: float


def next_job(
    point: PointId,
    writable: Writable,
    holding: Holding | None,
    wanted: Scalar,
    times: Times,
    longest_pause: float = RETRY_LONGEST_S,
) -> Job | None:
    """What is to be done so that the device shows `wanted`. While we yield to an override, do not ask.

    longest_pause: seconds between two attempts at a device that ignores us.
    """
    if holding is None or holding.releasing or _write_is_due(holding, wanted, writable, times, longest_pause):
        return Job(point, Step.WRITE, wanted)
    return None


def _write_is_due(holding: Holding, wanted: Scalar, writable: Writable, times: Times, longest_pause: float) -> bool:
    if holding.verdict is Verdict.OVERRIDDEN or holding.written == math.inf or wanted != holding.value:
        # Nobody overrides any more; or the intent is stored, but the bytes never left; or the wish is another.
        return True
    if holding.verdict in (Verdict.IGNORED, Verdict.IMPLAUSIBLE):
        pause = min(RETRY_FIRST_S * 2.0 ** (holding.attempts - 1), longest_pause)
        return times.monotonic - holding.written >= pause
    return times.wire >= fades_at(holding, fades_after(writable))


def fades_at(holding: Holding, after: float) -> float:
    """Wire time from which a value that fades `after` so many seconds is to be written again: never where it does not
    fade, also of what was adopted, which was written nobody knows when.
    """
    return holding.asserted + after if after < math.inf else math.inf


def fades_after(writable: Writable) -> float:
    """Seconds after its last write from which a value that is volatile at the device is to be written again: half its
    time-out. A remote bit keeps what it hands over.
    """
    if not isinstance(writable.on_silence, DeviceTimeout) or isinstance(writable.release, RemoteBit):
        return math.inf
    return writable.on_silence.after.total_seconds() / 2


def stands(holding: Holding, wanted: Scalar) -> bool:
    """Whether the device has been seen to have this very wish: but for what fades, nothing is to be done about it."""
    return (
        holding.value == wanted
        and holding.verdict is Verdict.OWNED
        and not holding.releasing
        and holding.written != math.inf
    )


def stands_alike(one: Holding, other: Holding) -> bool:
    """Whether nothing but the times of writing and reading differs: the same value once more is no news."""
    return (
        one.value == other.value
        and one.verdict is other.verdict
        and one.releasing == other.releasing
        and one.adopted == other.adopted
        and one.attempts == other.attempts
        and (one.written == math.inf) == (other.written == math.inf)
    )


def keep_job(holding: Holding, writable: Writable, times: Times) -> Job | None:
    """What is to be done while the point waits for its turn to be let go."""
    if (
        holding.releasing
        or holding.verdict is not Verdict.OWNED
        or times.wire < fades_at(holding, fades_after(writable))
    ):
        return None
    return Job(holding.point, Step.KEEP, holding.value)


def release_job(
    holding: Holding,
    writable: Writable,
    holdings: Mapping[PointId, Holding],
    remote_wanted: bool,
    times: Times,
    longest_pause: float = RETRY_LONGEST_S,
) -> Job | None:
    """What is to be done so that the point is let go. `remote_wanted`: its remote bit stays ours for other points."""
    if holding.verdict is Verdict.OVERRIDDEN:
        return Job(holding.point, Step.FORGET)
    release = writable.release
    if isinstance(release, RemoteBit):
        if release.point not in holdings:
            return Job(holding.point, Step.FORGET)
        if not remote_wanted or holding.before is None:
            return None
    value = release_value(holding, writable)
    if holding.releasing and holding.written < math.inf:
        if _is_let_go(holding, value, writable):
            return Job(holding.point, Step.FORGET)
        pause = min(writable.settle.total_seconds() * 2.0 ** (holding.attempts - 1), longest_pause)
        if times.monotonic - holding.written <= pause:
            return None
    return Job(holding.point, Step.RELEASE, value)


def _is_let_go(holding: Holding, value: Scalar | None, writable: Writable) -> bool:
    """The device shows the value that lets go, or somebody else's already. What a Null leaves cannot be foreseen."""
    if isinstance(writable.release, ReleaseNull):
        return holding.verdict is not Verdict.IGNORED
    if holding.seen is None:
        return False
    return same_value(holding.seen, value, writable.tolerance) or not same_value(
        holding.seen, holding.value, writable.tolerance
    )


def release_value(holding: Holding, writable: Writable) -> Scalar | None:
    """The value that lets the point go; None is Null."""
    match writable.release:
        case ReleaseNull():
            return None
        case SafeValue(value=value):
            return value
        case RemoteBit():
            return holding.before
        case restore:
            before = as_number(holding.before)
            if before is None:
                return restore.within.low
            # As it was read: a register of whole numbers gets one back.
            return holding.before if restore.within.holds(before) else restore.within.nearest(before)


def leaving(holding: Holding, job: Job) -> Holding:
    """The holding while the job's bytes are on their way: nothing that was read before can be their read-back."""
    if job.step is Step.RELEASE:
        return holding._replace(written=math.inf, releasing=True)
    again = not holding.releasing and job.value is not None and same_value(holding.value, job.value, 0.0)
    return holding._replace(
        value=holding.value if job.value is None else job.value,
        written=math.inf,
        verdict=holding.verdict if again else Verdict.PENDING,
        releasing=False,
    )


def is_refreshed(before: Holding, job: Job, accepted: bool) -> bool:
    """Whether the write only told an obeying device once more what it does already."""
    return accepted and before.verdict is Verdict.OWNED and _is_again(before, job) and job.step is not Step.RELEASE


def written(before: Holding, job: Job, refusal: str | None, times: Times) -> Holding:
    """The holding after the device has answered. before: as it was before the bytes left. refusal: None if accepted."""
    refreshed = is_refreshed(before, job, refusal is None)
    verdict = Verdict.OWNED if refreshed else Verdict.PENDING
    return leaving(before, job)._replace(
        written=times.monotonic,
        asserted=before.asserted if refusal else times.wire,
        verdict=verdict if refusal is None else Verdict.IGNORED,
        since=before.since if refreshed else times.monotonic,
        seen=None,
        attempts=_attempts(before, job, refreshed=refreshed),
        adopted=False,
        earlier=None,
        refusal=refusal or "",
        effect_missing=before.effect_missing and _is_again(before, job),
    )


def _attempts(before: Holding, job: Job, *, refreshed: bool) -> int:
    """Writes without success so far; another wish does not make a device obey that ignores us."""
    if before.verdict is Verdict.IGNORED or (_is_again(before, job) and not refreshed):
        return before.attempts + 1
    return 1 if before.verdict is Verdict.OWNED else before.attempts


def _is_again(before: Holding, job: Job) -> bool:
    if before.written == math.inf:
        return False
    if job.step is Step.RELEASE:
        return before.releasing
    return not before.releasing and job.value is not None and same_value(before.value, job.value, 0.0)
