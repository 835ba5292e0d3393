"""From the frozen image to history: changes beyond a point's COV increment, and every point at least once a minute."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping

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


class _Turn:
    """The points that were told at this time, monotonic, and not since; in order."""

    __slots__ = ("at", "points")

    def __init__(self, at: float) -> None:
        self.at = at
        self.points: dict[PointId, None] = {}


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
        # As what each was told last, and when: the turns of the last minute, the earliest first.
        self._latest: dict[PointId, Sample] = {}
        self._turn_of: dict[PointId, _Turn] = {}
        self._turns: deque[_Turn] = deque()
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
        self._latest = {id_: each for id_, each in earlier._latest.items() if id_ in self._increments}
        self._turns = earlier._turns
        for turn in self._turns:
            turn.points = dict.fromkeys(point for point in turn.points if point in self._latest)
            self._turn_of.update(dict.fromkeys(turn.points, turn))
        self._pending, self._handed_over = earlier._pending, earlier._handed_over
        self._newest, self._recorded_until = earlier._newest, earlier._recorded_until
        self.trouble, self.dropped = earlier.trouble, earlier.dropped

    def record(self, image: FrozenImage) -> None:
        self._newest = image.monotonic
        if not self._pending and not self._handed_over:
            self._recorded_until = image.monotonic
        rows = self._rows(image)
        self.dropped += max(0, len(self._pending) + len(rows) - MOST_PENDING)
        self._pending.extend(rows)
        if self._pending or self._handed_over or self._journal.pending:
            self._has_pending.set()

    def _rows(self, image: FrozenImage) -> list[RecordedSample]:
        latest, increments, samples = self._latest, self._increments, image.samples
        turn = self._due(image.monotonic)
        # Where nothing has come in since, there is nothing to tell.
        rows: list[RecordedSample] = [
            (point, sample) for point in turn.points if (sample := samples[point]) is not latest[point]
        ]
        latest.update(rows)
        # Where every value of a large site changes every second, this is the longest step of a scan.
        for point, sample in image.changed.items():
            before = latest.get(point)
            if before is not None:
                if before is sample:
                    continue
                same = before[1] is sample[1] and before[0] == sample[0]
                if same or (increments[point] and not self._is_other(point, before, sample)):
                    continue
                del self._turn_of[point].points[point]
            latest[point] = sample
            self._turn_of[point] = turn
            turn.points[point] = None
            rows.append((point, sample))
        if turn.points:
            self._turns.append(turn)
        return rows

    def _due(self, monotonic: float) -> _Turn:
        """A turn with what has not been told for long; with a scan a minute that is every point."""
        turn = _Turn(monotonic)
        while self._turns and monotonic - self._turns[0].at >= LONGEST_PAUSE_S:
            earlier = self._turns.popleft()
            if turn.points:
                turn.points.update(earlier.points)
                self._turn_of.update(dict.fromkeys(earlier.points, turn))
            else:  # as nearly always: nobody needs to be told that their turn is another one
                turn = earlier
                turn.at = monotonic
        return turn

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
