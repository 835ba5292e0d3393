"""From the frozen image to history: changes beyond a point's COV increment, and every point at least once a minute."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from controller.core.errors import HistorianError
from controller.core.point import Point, PointId
from controller.core.ports import Historian, RecordedSample
from controller.core.sample import Sample
from controller.runtime.forwarder import Forwarder
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal

log = logging.getLogger(__name__)

# An unchanged value is recorded again after this long, so that silence and sameness differ in history.
LONGEST_PAUSE_S = 60.0
# At kill -9 at most a second of history is lost. A little less than a second, so that it is the scan that sets the
# pace: history is written right after it, and not in the instant in which the links are polled.
FLUSH_AFTER_S = 0.9
# About 20 MiB; five minutes of 1,000 points changing every second.
MOST_PENDING = 300_000


_new = tuple[Any, ...].__new__  # without the detour through the constructor of a NamedTuple


class Recorder:
    """Collects in the scan, hands over in its own task; a failing historian costs memory to a bound, then samples."""

    def __init__(
        self,
        points: Mapping[PointId, Point],
        historian: Historian,
        journal: Journal,
        forwarder: Forwarder | None = None,
    ) -> None:
        self._increments = {id_: point.cov_increment for id_, point in points.items()}
        self._historian = historian
        self._journal = journal
        self._forwarder = forwarder
        # When (monotonic) each was recorded and as what; the one that was recorded longest ago comes first.
        self._latest: OrderedDict[PointId, tuple[float, Sample]] = OrderedDict()
        self._pending: deque[RecordedSample] = deque(maxlen=MOST_PENDING)
        self._handed_over: deque[RecordedSample] = deque(maxlen=MOST_PENDING)
        self._has_pending = asyncio.Event()
        # Why the historian takes nothing; "" while it does.
        self.trouble = ""
        self._recorded_until = self._newest = 0.0  # monotonic
        self.dropped = 0

    @property
    def pending(self) -> int:
        return len(self._handed_over) + len(self._pending)

    @property
    def behind(self) -> float:
        """Seconds of which history knows nothing yet."""
        return max(0.0, self._newest - self._recorded_until) if self.pending else 0.0

    def succeed(self, earlier: Recorder) -> None:
        """Go on where the recorder of an earlier configuration was; what waited there waits here."""
        self._latest = OrderedDict((id_, each) for id_, each in earlier._latest.items() if id_ in self._increments)
        self._pending, self._handed_over = earlier._pending, earlier._handed_over
        self._newest, self._recorded_until = earlier._newest, earlier._recorded_until
        self.trouble, self.dropped = earlier.trouble, earlier.dropped

    def record(self, image: FrozenImage) -> None:
        self._newest = image.monotonic
        if not self._pending and not self._handed_over:
            self._recorded_until = image.monotonic
        latest, increments, monotonic = self._latest, self._increments, image.monotonic
        recorded_now = self._record_again(image)
        # Where every value of a large site changes every second, this is the longest step of a scan.
        for point, sample in image.changed.items():
            recorded = latest.get(point)
            if recorded is not None:
                before = recorded[1]
                if before is sample:
                    continue
                same = before[1] is sample[1] and before[0] == sample[0]
                if same or (increments[point] and not self._is_other(point, before, sample)):
                    continue
            latest[point] = (monotonic, sample)
            latest.move_to_end(point)
            recorded_now.append(_new(RecordedSample, (point, sample)))
        self.dropped += max(0, len(self._pending) + len(recorded_now) - MOST_PENDING)
        self._pending.extend(recorded_now)
        if self._pending or self._handed_over or self._journal.pending:
            self._has_pending.set()

    def _record_again(self, image: FrozenImage) -> list[RecordedSample]:
        """What has not been recorded for long, as it is now; with a scan a minute that is every point."""
        latest, monotonic, samples = self._latest, image.monotonic, image.samples
        due: list[tuple[PointId, Sample]] = []
        for point, (at, before) in latest.items():
            if monotonic - at < LONGEST_PAUSE_S:
                break
            due.append((point, before))
        for point, _ in due:
            latest[point] = (monotonic, samples[point])
        if len(due) < len(latest):  # else their order stays
            for point, _ in due:
                latest.move_to_end(point)
        # Where nothing has come in since, there is nothing to tell.
        return [_new(RecordedSample, (point, samples[point])) for point, before in due if before is not samples[point]]

    def _is_other(self, point: PointId, before: Sample, after: Sample) -> bool:
        """Whether history must show the difference."""
        value, previous = after.value, before.value
        if after.quality is not before.quality:
            return True
        if value == previous:
            return False
        increment = self._increments[point]
        if not increment or isinstance(value, str) or isinstance(previous, str) or value is None or previous is None:
            return True
        return abs(value - previous) >= increment

    async def run(self) -> None:
        while True:
            await self._has_pending.wait()
            self._has_pending.clear()
            await self.flush()
            await asyncio.sleep(FLUSH_AFTER_S)

    async def flush(self) -> None:
        """Hand everything over; what the historian refuses stays for the next time."""
        try:
            await self._flush_samples()
            await self._journal.flush(self._historian)
        except HistorianError as error:
            if not self.trouble:
                log.warning("history is not being recorded, samples wait in memory: %s", error)
            self.trouble = str(error)
            return
        if self.trouble:
            log.info("history is being recorded again")
        self.trouble = ""

    async def _flush_samples(self) -> None:
        fresh, self._pending = self._pending, deque(maxlen=MOST_PENDING)
        until = self._newest
        if self._forwarder is not None:
            self._forwarder.offer(fresh)
        rows = self._handed_over
        self.dropped += max(0, len(rows) + len(fresh) - MOST_PENDING)
        rows.extend(fresh)
        if not rows:
            return
        # Refused, or cancelled half-way: all of it stays for the next time, which drops what is there already.
        await self._historian.append_samples(rows)
        self._handed_over = deque(maxlen=MOST_PENDING)
        self._recorded_until = until
