"""Measures what a device does when we fall silent, while the daemon runs.

Machines are held by commands of the operator's level at what they do already, their refreshing is paused at the one
door, and their read-backs are looked at until the device has dropped them. Whatever ends the measurement ends the pause
and the commands; both end by themselves, too.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import timedelta

from controller.core.command import Command, Priority
from controller.core.commissioning import Item, ItemKind, Record, Result
from controller.core.commissioning_items import dropped_within
from controller.core.errors import DeviceError, DeviceTimeout, EnvironmentProblem
from controller.core.ledger import Holding, Verdict
from controller.core.point import PointId, same_value
from controller.core.ports import Clock
from controller.core.sample import Sample, Scalar
from controller.core.silence import Dropped, finding
from controller.core.site import Site
from controller.core.text import Text
from controller.runtime.image import Image
from controller.runtime.link import LinkTask
from controller.runtime.operator import Operator, OperatorCommandRefused
from controller.runtime.places import writable_of
from controller.runtime.scan import Scan
from controller.runtime.silence_measurement import Aborted, Measurement, Phase, SilenceRefused
from controller.runtime.silence_wishes import SilenceWishes
from controller.runtime.writer import Writer

LOOK_EVERY_S = 0.5
TAKEN_WITHIN_S = 60.0
LET_GO_WITHIN_S = 30.0
ANSWER_WITHIN_S = 10.0
# Renewed at every look. Of the building's time, which a simulation may run 3600 times as fast.
LEASE = timedelta(hours=2)


Keep = Callable[[Item, Result, str, str, str], Awaitable[Record]]


class SilenceTest:
    """keep: keeps a record of what was found."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        scan: Scan,
        writer: Writer,
        operator: Operator,
        image: Image,
        links: Iterable[LinkTask],
        keep: Keep,
    ) -> None:
        self._site = site
        self._clock = clock
        self._scan = scan
        self._writer = writer
        self._operator = operator
        self._image = image
        self._links = {point: link for link in links for device in link.link.devices for point in device.points}
        self._keep = keep
        self._wishes = SilenceWishes(site, clock, operator, image, writer.holdings)
        self._asked = asyncio.Event()
        self._stop = False
        self.measurement: Measurement | None = None

    def begin(self, item: Item, who: str, value: Scalar | None = None) -> Measurement:
        """Ask for a measurement. value: for a point without a remote bit, another one than it has by itself.

        Raises SilenceRefused, OperatorCommandRefused.
        """
        if item.kind is not ItemKind.SILENCE:
            raise SilenceRefused(f"{item.id} is no test of silence; see: tidewatt commission SITE sheet")
        if self.measurement is not None and not self.measurement.is_over:
            raise SilenceRefused(f"{self.measurement.item.id} is being measured; one at a time")
        subject = PointId(item.subject)
        declared = dropped_within(self._site, subject)
        if declared is None:
            raise SilenceRefused(f"nothing is declared of what {subject} does when we fall silent")
        wishes = self._wishes.of(subject, value)
        for point in wishes:
            self._operator.require_authority(point)
        watched = tuple(dict.fromkeys(self._wishes.shows(point) for point in wishes))
        self.measurement, self._stop = Measurement(item, who, declared, wishes, watched), False
        self._asked.set()
        return self.measurement

    def stop(self) -> None:
        """End the measurement that runs; what it holds is let go."""
        self._stop = True

    async def run(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            if self.measurement is not None:
                await self._measure(self.measurement)

    async def _measure(self, measurement: Measurement) -> None:
        held_before = set(self._writer.holdings)
        earlier = {point: self._at_our_level(point) for point in measurement.wishes}
        try:
            await self._take(measurement)
            await self._fall_silent(measurement)
        except Aborted as error:
            measurement.note = error.why
        except OperatorCommandRefused as error:
            measurement.note = Text(str(error), str(error))
        finally:
            self._writer.speak_again()
            self._give_back(measurement, earlier)
        measurement.phase = Phase.LETTING_GO
        await self._wait_until_let_go(self._wishes.touched(measurement) - held_before)
        if measurement.note.en:
            measurement.phase = Phase.ABORTED
        else:
            await self._conclude(measurement)

    async def _conclude(self, measurement: Measurement) -> None:
        seen = list(measurement.dropped.values())
        is_whole = len(seen) == len(measurement.watched)
        dropped = Dropped(max(each.after for each in seen), max(each.by for each in seen)) if is_whole else None
        found = finding(measurement.declared, dropped, measurement.limit)
        measurement.note = found.note
        try:
            measurement.record = await self._keep(
                measurement.item, found.result, measurement.who, found.measured, found.note.en
            )
        except EnvironmentProblem as error:
            measurement.note = Text(f"{found.note.en}; not recorded: {error}", f"{found.note.zh}；未能记录：{error}")
            measurement.phase = Phase.ABORTED
            return
        measurement.phase = Phase.DONE

    # --- taking -------------------------------------------------------------------------------------------------

    async def _take(self, measurement: Measurement) -> None:
        """Hold what is to be dropped."""
        for point, value in measurement.wishes.items():
            who, reason = measurement.source, f"measuring {measurement.item.id}"
            self._operator.command(point, value, LEASE, who, reason)
        began = self._clock.wire_time()
        while not all(_is_owned(self._writer.holdings.get(point)) for point in measurement.watched):
            if self._clock.wire_time() - began > TAKEN_WITHIN_S:
                why = self._why_not_taken(measurement.wishes)
                raise Aborted(
                    f"not taken within {TAKEN_WITHIN_S:g} s: {why.en}", f"{TAKEN_WITHIN_S:g} 秒内未能接管：{why.zh}"
                )
            await self._next_look(measurement)

    async def _next_look(self, measurement: Measurement) -> None:
        """A wish to stop ends it here, and so does whoever takes our commands away."""
        await asyncio.sleep(LOOK_EVERY_S)
        if self._stop:
            raise Aborted("stopped", "已停止")
        ends = self._clock.monotonic() + LEASE.total_seconds()
        for point in measurement.wishes:
            command, control = self._at_our_level(point), self._scan.controls[point]
            if command is None or command.source != f"operator:{measurement.source}":
                raise Aborted(f"somebody else has commanded {point}, or handed it back", f"{point} 已由他人命令或交还")
            control.array = control.array.with_command(command._replace(ends=ends))

    def _at_our_level(self, point: PointId) -> Command | None:
        return self._scan.controls[point].array.held_at(Priority.MANUAL_OPERATOR)

    def _readback(self, point: PointId) -> PointId:
        return writable_of(self._site.points[point]).readback

    def _why_not_taken(self, wishes: Collection[PointId]) -> Text:
        for point in wishes:
            control, holding = self._scan.controls[point], self._writer.holdings.get(point)
            for text in (control.limit, control.waiting):
                if text.en:
                    return text
            if holding is not None and holding.verdict is not Verdict.OWNED:
                return Text(f"{point} is {holding.verdict}", f"{point} 判定为 {holding.verdict}")
        return Text("the device does not show it", "设备未显示")

    # --- silence ------------------------------------------------------------------------------------------------

    async def _fall_silent(self, measurement: Measurement) -> None:
        began = seen_at = self._clock.wire_time()
        asserted = self._asserted(measurement)
        if asserted == -math.inf:
            raise Aborted(f"{measurement.item.subject} was never written", f"{measurement.item.subject} 从未写入")
        self._writer.fall_silent(self._wishes.touched(measurement), began + measurement.limit + 2 * ANSWER_WITHIN_S)
        measurement.phase = Phase.SILENT
        while len(measurement.dropped) < len(measurement.watched):
            await self._next_look(measurement)
            samples = await self._read([self._readback(point) for point in measurement.watched])
            # What was on its way when the silence began arrived just after.
            asserted = max(asserted, self._asserted(measurement))
            if asserted > began + ANSWER_WITHIN_S:
                raise Aborted("it was written in the middle of the silence", "停止刷新期间有写入")
            self._require_undisturbed(measurement)
            now = self._clock.wire_time()
            measurement.seconds = now - asserted
            self._note_dropped(measurement, samples, Dropped(max(0.0, seen_at - asserted), now - asserted))
            if measurement.seconds > measurement.limit:
                return
            seen_at = now
        await self._until_the_writer_knows(measurement)

    async def _until_the_writer_knows(self, measurement: Measurement) -> None:
        """Once the silence is over, what the device dropped would be taken for somebody's override."""
        began = self._clock.wire_time()
        while any(point in self._writer.holdings for point in measurement.dropped):
            if self._clock.wire_time() - began > ANSWER_WITHIN_S:
                return
            await self._next_look(measurement)

    def _asserted(self, measurement: Measurement) -> float:
        """Wire time at which the device was told last, of what is held still."""
        subject = PointId(measurement.item.subject)
        told = (subject,) if subject in self._wishes.lifelines else measurement.watched
        holdings = self._writer.holdings
        return max((holdings[point].asserted for point in told if point in holdings), default=-math.inf)

    async def _read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        """Asked anew, more often than polls come; what comes goes the way of a poll."""
        samples: dict[PointId, Sample] = {}
        for link in {self._links[point].link.id: self._links[point] for point in points}.values():
            try:
                samples.update(await self._answered(link, [point for point in points if self._links[point] is link]))
            except DeviceError as error:
                raise Aborted(f"the device cannot be watched: {error}", f"无法观察设备：{error}") from error
        self._image.put(samples)
        return samples

    async def _answered(self, link: LinkTask, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        """Raises Aborted where the link is gone, DeviceError where the device says nothing."""
        session = link.session
        if session is None:
            raise _lost(link)
        # Waiting for the link's turn says nothing of the device; how long others may have it, the link sees to.
        async with session.lock:
            if link.session is not session:
                raise _lost(link)
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    with session.calls.during("read"):
                        return await session.driver.read(points)
            except TimeoutError as error:
                if isinstance(error, DeviceError):
                    raise
                raise DeviceTimeout(link.link.id, "read", f"no answer within {ANSWER_WITHIN_S:g} s") from error

    def _note_dropped(self, measurement: Measurement, samples: Mapping[PointId, Sample], when: Dropped) -> None:
        for point in measurement.watched:
            sample = samples[self._readback(point)]
            if point in measurement.dropped or not sample.is_good:
                continue
            held = True if point in self._wishes.machines else measurement.wishes[point]
            if not same_value(sample.value, held, writable_of(self._site.points[point]).tolerance):
                measurement.dropped[point] = when

    def _require_undisturbed(self, measurement: Measurement) -> None:
        for point in measurement.watched:
            holding = self._writer.holdings.get(point)
            if holding is not None and holding.releasing and point not in measurement.dropped:
                raise Aborted(f"{point} was let go in the middle of the silence", f"停止刷新期间 {point} 已释放")
            if point not in measurement.dropped and not self._writer.is_silent(point):
                raise Aborted("the silence was ended", "停止刷新已被结束")

    # --- giving back --------------------------------------------------------------------------------------------

    def _give_back(self, measurement: Measurement, earlier: Mapping[PointId, Command | None]) -> None:
        """Our commands end; a person's that stood there before, and has not ended meanwhile, stands again."""
        now = self._clock.monotonic()
        for point, command in earlier.items():
            ours = self._at_our_level(point)
            if ours is None or ours.source != f"operator:{measurement.source}":
                continue  # whoever took it away meant what stood before, too
            self._operator.relinquish(point)
            if command is not None and command.ends > now:
                control = self._scan.controls[point]
                control.array = control.array.with_command(command)
        self._scan.request_early()

    async def _wait_until_let_go(self, points: Collection[PointId]) -> None:
        began = self._clock.wire_time()
        while any(point in self._writer.holdings for point in points):
            if self._clock.wire_time() - began > LET_GO_WITHIN_S:
                return  # the writer goes on; what is held stays told in the status
            await asyncio.sleep(LOOK_EVERY_S)


def _lost(link: LinkTask) -> Aborted:
    return Aborted(f"link {link.link.id} was lost", f"连接 {link.link.id} 中断")


def _is_owned(holding: Holding | None) -> bool:
    return holding is not None and holding.verdict is Verdict.OWNED and not holding.releasing and not holding.adopted
