"""What the device shows, how long after the write: the verdict, and what is to be done next."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.core.ledger import (
    RETRY_LONGEST_S,
    Holding,
    Job,
    Step,
    Times,
    Verdict,
    judge,
    keep_job,
    leaving,
    next_job,
    release_job,
    written,
)
from controller.core.point import (
    DeviceTimeout,
    NothingHappens,
    PointId,
    Range,
    Release,
    ReleaseNull,
    RemoteBit,
    Restore,
    SafeValue,
    Writable,
)
from controller.core.sample import Quality, Sample, Scalar

NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
POINT = PointId("plant.chiller_1.setpoint")
BIT = PointId("plant.chiller_1.remote")
WRITTEN_AT = 100.0
PENDING, OWNED, IGNORED = Verdict.PENDING, Verdict.OWNED, Verdict.IGNORED
OVERRIDDEN, IMPLAUSIBLE = Verdict.OVERRIDDEN, Verdict.IMPLAUSIBLE


def writable(release: Release) -> Writable:
    return Writable(Range(5, 15), release, NothingHappens(), POINT, tolerance=0.1)


WRITABLE = writable(SafeValue(12.0))
VOLATILE = replace(WRITABLE, on_silence=DeviceTimeout(timedelta(seconds=30)))
HELD = Holding(POINT, 7.0, 9.0, WRITTEN_AT, WRITTEN_AT, since=WRITTEN_AT)


def shown(value: Scalar | None, after: float, quality: Quality = Quality.GOOD, reason: str = "") -> Sample:
    return Sample(value, quality, reason, NOW, WRITTEN_AT + after)


def times(after: float) -> Times:
    return Times(WRITTEN_AT + after, WRITTEN_AT + after)


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verdict, sample, expected",
    [
        (PENDING, shown(7.0, 1), OWNED),
        (PENDING, shown(7.09, 1), OWNED),
        (PENDING, shown(7.0, 0), PENDING),  # read in the instant of the write: may be older
        (PENDING, shown(7.0, -1), PENDING),
        (PENDING, shown(9.0, 5), PENDING),
        (PENDING, shown(9.0, 5.1), IGNORED),
        (PENDING, shown(7.2, 6), IGNORED),
        (IGNORED, shown(7.0, 20), OWNED),
        (OWNED, shown(9.0, 60), OVERRIDDEN),
        (OVERRIDDEN, shown(9.0, 60), OVERRIDDEN),
        (OVERRIDDEN, shown(7.0, 60), OWNED),
        (OWNED, shown(None, 60, Quality.BAD, "implausible: 99"), IMPLAUSIBLE),
        (OWNED, shown(None, 60, Quality.BAD, "link lost"), OWNED),
        (OWNED, shown(9.0, 60, Quality.UNCERTAIN), OWNED),
    ],
)
def test_a_write_is_believed_when_it_is_read_back(verdict: Verdict, sample: Sample, expected: Verdict) -> None:
    judged = judge(HELD._replace(verdict=verdict), sample, WRITABLE, sample.received)
    assert judged is not None
    assert judged.verdict is expected
    assert judged.since == (WRITTEN_AT if verdict is expected else sample.received)


@pytest.mark.parametrize(
    "earlier, sample, value",
    [
        (None, shown(7.0, 1), 7.0),
        (None, shown(9.0, 1), None),
        (8.0, shown(8.0, 1), 8.0),
        (8.0, shown(7.0, 1), 7.0),
        (8.0, shown(9.0, 1), None),
        (False, shown(False, 1), False),
    ],
)
def test_what_an_earlier_run_left_is_still_ours_or_gone(
    earlier: Scalar | None, sample: Sample, value: Scalar | None
) -> None:
    adopted = HELD._replace(written=-math.inf, adopted=True, earlier=earlier)
    judged = judge(adopted, sample, WRITABLE, sample.received)
    if value is None:
        assert judged is None
    else:
        assert judged is not None
        assert (judged.value, judged.verdict, judged.adopted) == (value, OWNED, False)


def test_what_differs_after_a_loss_of_sight_was_nobodys_override() -> None:
    lost = judge(HELD._replace(verdict=OWNED), shown(None, 10, Quality.BAD, "link lost"), WRITABLE, 110.0)
    assert lost is not None
    assert judge(lost, shown(9.0, 70), WRITABLE, 170.0) is None


def test_nothing_is_judged_while_bytes_are_on_their_way() -> None:
    away = leaving(HELD._replace(verdict=OWNED), Job(POINT, Step.WRITE, 8.0))
    assert (away.value, away.verdict) == (8.0, PENDING)
    for value in (7.0, 8.0, 9.0):
        assert judge(away, shown(value, 1000), WRITABLE, 1100.0) is away


# --- what to write next -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "holding, wanted, after, due",
    [
        (None, 7.0, 0, True),
        (HELD._replace(verdict=OWNED), 7.0, 1e6, False),
        (HELD._replace(verdict=OWNED), 7.05, 1, True),  # a value led to its wish arrives there exactly
        (HELD._replace(verdict=PENDING), 7.0, 4, False),
        (HELD._replace(verdict=PENDING), 8.0, 1, True),
        (HELD._replace(verdict=IGNORED), 7.0, 9.9, False),
        (HELD._replace(verdict=IGNORED), 7.0, 10, True),
        (HELD._replace(verdict=IGNORED, attempts=3), 7.0, 39, False),
        (HELD._replace(verdict=IGNORED, attempts=3), 7.0, 40, True),
        (HELD._replace(verdict=IGNORED, attempts=50), 7.0, RETRY_LONGEST_S, True),
        (HELD._replace(verdict=IMPLAUSIBLE), 7.0, 9, False),
        (HELD._replace(verdict=OVERRIDDEN), 7.0, 1, True),  # asked only once nobody yields any more
        (HELD._replace(written=math.inf), 7.0, 1, True),
        (HELD._replace(releasing=True), 7.0, 1, True),
    ],
)
def test_a_wish_is_written_when_it_is_due(holding: Holding | None, wanted: float, after: float, due: bool) -> None:
    job = next_job(POINT, WRITABLE, holding, wanted, times(after))
    assert job == (Job(POINT, Step.WRITE, wanted) if due else None)


@pytest.mark.parametrize("after, due", [(14.9, False), (15, True)])
def test_a_volatile_value_is_told_again_at_half_its_time_out(after: float, due: bool) -> None:
    owned = HELD._replace(verdict=OWNED)
    assert (next_job(POINT, VOLATILE, owned, 7.0, times(after)) is not None) is due
    assert keep_job(owned, VOLATILE, times(after)) == (Job(POINT, Step.KEEP, 7.0) if due else None)


@pytest.mark.parametrize(
    "holding",
    [HELD._replace(verdict=OVERRIDDEN), HELD._replace(verdict=IGNORED), HELD._replace(verdict=OWNED, releasing=True)],
)
def test_only_what_is_ours_is_kept_while_it_waits(holding: Holding) -> None:
    assert keep_job(holding, VOLATILE, times(100)) is None


def test_what_was_adopted_and_does_not_fade_is_not_told_again() -> None:
    adopted = HELD._replace(verdict=OWNED, written=-math.inf, asserted=-math.inf, adopted=True)
    assert next_job(POINT, WRITABLE, adopted, 7.0, times(100)) is None
    assert keep_job(adopted, WRITABLE, times(100)) is None
    assert keep_job(adopted, VOLATILE, times(100)) == Job(POINT, Step.KEEP, 7.0)


# --- letting go -------------------------------------------------------------------------------------------------------

FORGET = Job(POINT, Step.FORGET)
RELEASING = HELD._replace(releasing=True)


@pytest.mark.parametrize(
    "release, holding, after, job",
    [
        (SafeValue(12.0), HELD, 1, Job(POINT, Step.RELEASE, 12.0)),
        (SafeValue(12.0), HELD._replace(verdict=OVERRIDDEN), 1, FORGET),
        (SafeValue(12.0), RELEASING, 1, None),
        (SafeValue(12.0), RELEASING, 6, Job(POINT, Step.RELEASE, 12.0)),
        (SafeValue(12.0), RELEASING._replace(attempts=3), 19, None),
        (SafeValue(12.0), RELEASING._replace(seen=7.0), 1, None),
        (SafeValue(12.0), RELEASING._replace(seen=12.05), 1, FORGET),
        (SafeValue(12.0), RELEASING._replace(seen=10.0), 1, FORGET),  # somebody else has it already
        (SafeValue(12.0), RELEASING._replace(written=math.inf), 1, Job(POINT, Step.RELEASE, 12.0)),
        (SafeValue(7.0), RELEASING._replace(seen=7.0), 1, FORGET),
        (Restore(Range(8, 10)), HELD, 1, Job(POINT, Step.RELEASE, 9.0)),
        (Restore(Range(8, 10)), HELD._replace(before=14.0), 1, Job(POINT, Step.RELEASE, 10.0)),
        (Restore(Range(8, 10)), HELD._replace(before=None), 1, Job(POINT, Step.RELEASE, 8.0)),
        (Restore(Range(8, 10)), RELEASING._replace(seen=9.0), 1, FORGET),
        (ReleaseNull(), HELD, 1, Job(POINT, Step.RELEASE, None)),
        (ReleaseNull(), RELEASING, 1, FORGET),
        (ReleaseNull(), RELEASING._replace(seen=7.0), 1, FORGET),  # the device's own default may be the same
        (ReleaseNull(), RELEASING._replace(verdict=IGNORED), 1, None),
        (ReleaseNull(), RELEASING._replace(verdict=IGNORED), 6, Job(POINT, Step.RELEASE, None)),
    ],
)
def test_a_point_is_let_go_as_it_declares(release: Release, holding: Holding, after: float, job: Job | None) -> None:
    assert release_job(holding, writable(release), {}, False, times(after)) == job


def test_a_whole_number_is_restored_as_one() -> None:
    job = release_job(HELD._replace(before=9), writable(Restore(Range(8, 10))), {}, False, times(1))
    assert job is not None
    assert type(job.value) is int


@pytest.mark.parametrize(
    "bit_held, bit_wanted, before, job",
    [
        (False, False, 9.0, FORGET),
        (True, False, 9.0, None),
        (True, True, 9.0, Job(POINT, Step.RELEASE, 9.0)),
        (True, True, None, None),
    ],
)
def test_a_point_behind_a_remote_bit_goes_with_it(
    bit_held: bool, bit_wanted: bool, before: float | None, job: Job | None
) -> None:
    holdings = {BIT: Holding(BIT, True, False, WRITTEN_AT, WRITTEN_AT)} if bit_held else {}
    held = HELD._replace(before=before)
    assert release_job(held, writable(RemoteBit(BIT)), holdings, bit_wanted, times(1)) == job


# --- what the device answered -----------------------------------------------------------------------------------------

WRITE = Job(POINT, Step.WRITE, 7.0)


def test_telling_an_obeying_device_again_changes_nothing_but_the_time() -> None:
    owned = HELD._replace(verdict=OWNED, since=42.0)
    after = written(owned, WRITE, None, times(15))
    assert (after.verdict, after.since, after.asserted, after.attempts) == (OWNED, 42.0, WRITTEN_AT + 15, 1)


@pytest.mark.parametrize(
    "before, job, refusal, attempts",
    [
        (HELD._replace(verdict=IGNORED, attempts=2), WRITE, None, 3),
        (HELD._replace(verdict=IGNORED, attempts=2), Job(POINT, Step.WRITE, 8.0), None, 3),
        (HELD._replace(verdict=OWNED, attempts=1), Job(POINT, Step.WRITE, 8.0), None, 1),
        (HELD._replace(verdict=PENDING, attempts=1), WRITE, None, 2),
        (HELD._replace(verdict=OWNED), WRITE, "busy", 2),
        (RELEASING, Job(POINT, Step.RELEASE, 12.0), None, 2),
    ],
)
def test_writes_without_success_are_counted(before: Holding, job: Job, refusal: str | None, attempts: int) -> None:
    after = written(before, job, refusal, times(15))
    assert after.attempts == attempts
    assert after.verdict is (IGNORED if refusal else PENDING)
    assert after.refusal == (refusal or "")


def test_while_letting_go_the_value_is_what_we_held() -> None:
    after = written(HELD._replace(verdict=OWNED, seen=7.0), Job(POINT, Step.RELEASE, 12.0), None, times(15))
    assert (after.value, after.releasing, after.before) == (7.0, True, 9.0)
    assert after.seen is None, "what was read before proves nothing"
