"""One link at work: connected or not, polled on an absolute grid, read and written one at a time, for ever.

Losing a link or a device is told once, its return once; between them there is silence in the log and BAD samples in
the image. A link whose far side refuses us for good (a wrong password) is not tried again until somebody says so:
repeating it would only lock the account.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

from controller.core.errors import DeviceError, DeviceRefused, DeviceTimeout
from controller.core.event import EventKind
from controller.core.point import PointId
from controller.core.ports import Clock, Driver, Phase, Stepped, Subscribes
from controller.core.sample import Quality, Sample, bad
from controller.core.simulation import proof_points
from controller.core.site import Device, Link
from controller.runtime.backoff import FIRST_S, LONGEST_S, Backoff
from controller.runtime.image import Image
from controller.runtime.journal import Journal
from controller.runtime.poll_grid import PollGrid
from controller.runtime.transitions import Transitions
from controller.runtime.write_rights import WriteRights, bindings_with_rights

log = logging.getLogger(__name__)

# A driver bounds its own requests; this bounds a driver that does not. Looked at this often while connected, so that a
# call ends at most so much later.
LONGEST_CALL_S = 60.0
LOOK_AT_CALL_S = 15.0
# A connection that does not close by then is left to itself: letting go must not wait for it.
LONGEST_CLOSE_S = 5.0
# What a device or library says about itself is bounded before it is logged.
LONGEST_CAUSE = 200
REFUSED = "link refused"


class Session:
    """A connected driver and what it may write; `lock` keeps reads and writes of the link apart."""

    def __init__(self, link: Link, driver: Driver, may_write: frozenset[PointId]) -> None:
        self.link = link
        self.may_write = may_write
        self.lock = asyncio.Lock()
        self.calls = Calls(link)
        self.driver = driver
        self.is_told = isinstance(driver, Subscribes)
        self._stepped = driver if isinstance(driver, Stepped) else None

    async def advance(self) -> None:
        """A plant whose time only we let pass has come to the clock's present; with the lock in hand."""
        if self._stepped is not None:
            await self._stepped.advance()

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        async with self.lock:
            with self.calls.during("read"):
                if self._stepped is not None:
                    await self._stepped.advance()
                return await self.driver.read(points)


class Calls:
    """The call that a connected driver is busy with, and since when: a timer for each call would cost more."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._time = asyncio.get_running_loop().time
        self._operation = ""
        self._since: float | None = None

    def during(self, operation: str) -> Self:
        self._operation = operation
        return self

    def __enter__(self) -> None:
        self._since = self._time()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._since = None
        if error is not None:
            _let_time_out_through(error, self._link, self._operation)

    async def watch(self) -> None:
        """Raise DeviceTimeout once a call takes longer than LONGEST_CALL_S."""
        while True:
            await asyncio.sleep(LOOK_AT_CALL_S)
            if self._since is not None and self._time() - self._since >= LONGEST_CALL_S:
                raise DeviceTimeout(self._link.id, self._operation, f"no answer within {LONGEST_CALL_S:g} s")


class Bounded:
    """Whatever a driver does inside the block ends within LONGEST_CALL_S, else it is a DeviceTimeout."""

    def __init__(self, link: Link, operation: str) -> None:
        self._link = link
        self._operation = operation
        self._timeout = asyncio.timeout(LONGEST_CALL_S)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as expired:
            cause = f"no answer within {LONGEST_CALL_S:g} s"
            raise DeviceTimeout(self._link.id, self._operation, cause) from expired
        if error is not None:
            _let_time_out_through(error, self._link, self._operation)


def _let_time_out_through(error: BaseException, link: Link, operation: str) -> None:
    """A driver may bound its own requests and raise TimeoutError; to us that is a DeviceTimeout."""
    if isinstance(error, TimeoutError) and not isinstance(error, DeviceError):
        raise DeviceTimeout(link.id, operation, str(error) or "no answer") from error


ServeWrites = Callable[[Session], Coroutine[Any, Any, None]]


class _RightsChanged(Exception):
    """The driver is to be opened anew, with other rights."""


class LinkTask:
    """Supervises one link. `serve_writes` runs beside the polling while the link is up; `session` is there so long."""

    def __init__(
        self,
        link: Link,
        clock: Clock,
        image: Image,
        journal: Journal,
        serve_writes: ServeWrites,
        rights: WriteRights,
    ) -> None:
        self.link = link
        self._clock = clock
        self._image = image
        self._journal = journal
        self._serve_writes = serve_writes
        self._rights = rights
        self._backoff = Backoff(link.id)
        self._transitions = Transitions(log)
        self._lost_devices: set[str] = set()
        self._points = [point for device in link.devices for point in device.points]
        self._own_points = frozenset(self._points)
        self._proofs = frozenset(proof_points(link.devices))
        self.is_up = False
        self.trouble = "not connected yet"
        self._was_told = ""
        self._lost_at = clock.monotonic()
        self.is_refused = False
        self.insists = False
        self._try_now = asyncio.Event()
        self.seen = asyncio.Event()
        self.session: Session | None = None

    async def run(self) -> None:
        task = asyncio.current_task()
        time = asyncio.get_running_loop().time
        while True:
            began = time()
            self._try_now.clear()
            pause = await self._attempt()
            if task is not None and task.cancelling():
                # A task group that fails while it is being cancelled raises its errors instead.
                raise asyncio.CancelledError
            if pause is not None:
                # A device that comes back during an attempt in vain waits for the next: that counts, too.
                pause = min(pause, max(FIRST_S, LONGEST_S - (time() - began)))
            # Back-off runs in real seconds, as the loop's own timers do.
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._try_now.wait()

    @property
    def points(self) -> frozenset[PointId]:
        """Of its devices."""
        return self._own_points

    def go_on(self, image: Image, serve_writes: ServeWrites, rights: WriteRights) -> None:
        """As a link of another configuration, in which it is the same: the connection and what is known of it stay.

        In the same step the writer of the earlier configuration is succeeded by that of the other.
        """
        self._image, self._serve_writes, self._rights = image, serve_writes, rights

    def retry(self) -> None:
        """Whatever kept the link away may be over: try at once."""
        self._try_now.set()

    async def _attempt(self) -> float | None:
        """One life of the connection; the seconds to wait before the next, None for as long as nobody says so."""
        error: DeviceError | None = None
        rights = self._rights.points
        try:
            async with self._connected(rights) as driver:
                session = Session(self.link, driver, rights)
                grid = PollGrid(self.link.devices, self._clock.monotonic())
                # Nothing is written before the devices have been looked at.
                async with Bounded(self.link, "read"):
                    await self._read(session, grid)
                self.session = session
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._write(session), name=f"write {self.link.id}")
                    tasks.create_task(session.calls.watch(), name=f"watch {self.link.id}")
                    if isinstance(driver, Subscribes):
                        tasks.create_task(self._follow(driver), name=f"follow {self.link.id}")
                    await self._poll(session, grid)
        except* DeviceError as group:
            error = _first(group)
        except* _RightsChanged:
            pass
        finally:
            self.session = None
        if error is None:
            return 0.0
        self._lost(error)
        if isinstance(error, DeviceRefused):
            self._refused(error)
            if not self.insists:
                return None
        return self._backoff.next_pause()

    @asynccontextmanager
    async def _connected(self, may_write: frozenset[PointId]) -> AsyncGenerator[Driver]:
        link = self.link
        opening = link.driver.open(link.id, link.connection, bindings_with_rights(link, may_write), self._clock)
        async with Bounded(link, "connect"):
            driver = await opening.__aenter__()
        try:
            yield driver
        finally:
            try:
                async with asyncio.timeout(LONGEST_CLOSE_S):
                    await opening.__aexit__(None, None, None)
            except TimeoutError:
                log.warning("link %s did not close within %g s", link.id, LONGEST_CLOSE_S)

    async def _poll(self, session: Session, grid: PollGrid) -> None:
        while True:
            await self._clock.sleep_until(grid.next_due, Phase.POLL, self.link.id)
            if self._rights.points is not session.may_write and self._has_other_rights(session):
                raise _RightsChanged
            await self._read(session, grid)

    async def _write(self, session: Session) -> None:
        """One writer after the other."""
        while True:
            await self._serve_writes(session)

    async def _follow(self, driver: Subscribes) -> None:
        """What the devices tell by themselves; polling goes on beside it.

        By what a simulated device proves itself is for who asks for it, and in no image.
        """
        async with aclosing(driver.changes()) as changes:
            async for samples in changes:
                if not self._proofs.isdisjoint(samples):
                    samples = {point: each for point, each in samples.items() if point not in self._proofs}
                self._image.put(samples)

    def _has_other_rights(self, session: Session) -> bool:
        return not self._own_points.isdisjoint(self._rights.points ^ session.may_write)

    async def _read(self, session: Session, grid: PollGrid) -> None:
        due = grid.due(self._clock.monotonic())
        samples = await session.read(due.points)
        if session.is_told:
            self._image.put_unless_older(samples)
        else:
            self._image.put(samples)
        if not self.is_up:
            self._returned()
        for device in due.whole:
            # A device is lost where all its samples are BAD: of one that answers, the first tells.
            if samples[device.points[0]].quality is Quality.BAD or device.id in self._lost_devices:
                self._look_at(device, samples)

    def _look_at(self, device: Device, samples: Mapping[PointId, Sample]) -> None:
        lost = all(samples[point].quality is Quality.BAD for point in device.points)
        if lost == (device.id in self._lost_devices):
            return
        if lost:
            cause = samples[device.points[0]].reason[:LONGEST_CAUSE]
            self._lost_devices.add(device.id)
            self._tell(self._named(device), logging.WARNING, f"is lost: {cause}")
            self._journal.note(EventKind.LINK, device.id, {"state": "lost", "cause": cause})
        else:
            self._lost_devices.discard(device.id)
            self._tell(self._named(device), logging.INFO, "is back")
            self._journal.note(EventKind.LINK, device.id, {"state": "back"})

    def _named(self, device: Device) -> str:
        return f"device {device.id} on link {self.link.id}"

    def _tell(self, subject: str, level: int, words: str) -> None:
        self._transitions.tell(subject, level, words, self._clock.monotonic())

    def _lost(self, error: DeviceError) -> None:
        cause = error.cause[:LONGEST_CAUSE]
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._image.put({point: bad(f"link lost: {cause}", now, monotonic) for point in self._points})
        if self.is_up or self._was_told == "":
            self._tell(f"link {self.link.id}", logging.WARNING, f"is lost: {error.operation}: {cause}")
            self._journal.note(EventKind.LINK, self.link.id, {"state": "lost", "cause": cause})
            self._lost_at = monotonic
        self.is_up = False
        self._was_told = self.trouble = cause
        self.seen.set()

    def _refused(self, error: DeviceRefused) -> None:
        if self.is_refused:
            return
        self.is_refused = True
        cause = error.cause[:LONGEST_CAUSE]
        link = self.link.id
        log.warning("link %s refuses us: %s; it is tried again after: tidewatt retry SITE %s", link, cause, link)
        reason = {"reason": f"{cause}; not tried again until told to", "reason_zh": f"{cause}；得到指令前不再重试"}
        self._journal.note(EventKind.ALARM, link, {"alarm": REFUSED, "state": "active", **reason})

    def _returned(self) -> None:
        """Only an answer shows that the link is well: some devices accept a connection and then say nothing."""
        self.is_up = True
        self._backoff.reset()
        if self.is_refused:
            self.is_refused = False
            self._journal.note(EventKind.ALARM, self.link.id, {"alarm": REFUSED, "state": "cleared"})
        self.trouble = ""
        self.seen.set()
        if self._was_told:
            away = self._clock.monotonic() - self._lost_at
            self._tell(f"link {self.link.id}", logging.INFO, f"is back after {away:.0f} s")
            self._journal.note(EventKind.LINK, self.link.id, {"state": "back", "away_s": round(away, 1)})
        else:
            log.info("link %s is connected", self.link.id)
            self._journal.note(EventKind.LINK, self.link.id, {"state": "connected"})


def _first(group: BaseExceptionGroup[DeviceError]) -> DeviceError:
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("an exception group is never empty")
