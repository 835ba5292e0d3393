"""Another configuration while the daemon runs: read and checked aside, then taken in one step, or refused with the
present one running on and an alarm.

What the change takes away from us is let go before, in its system's order; everything else stays as it is: what is
held, what was commanded and until when, what the guard remembers, plans, alarms, states (Daemon.switch_to).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from controller.core.configuration_difference import differences
from controller.core.errors import ConfigError, EnvironmentProblem, Problem
from controller.core.event import EventKind, JsonValue
from controller.core.file_state import FileState
from controller.core.inhibition import Inhibition
from controller.core.point import PointId
from controller.core.ports import Phase, RemoteHistorian
from controller.core.reconfiguration import Reconfiguration, reconfiguration
from controller.core.site import Site
from controller.core.system import Authority
from controller.core.text import NO_TEXT, Text
from controller.runtime.clock import ScaledClock
from controller.runtime.commissioning import Commissioning
from controller.runtime.file_states import states_of
from controller.runtime.gate import GateBusy
from controller.runtime.image import FrozenImage
from controller.runtime.outbox import Messenger

if TYPE_CHECKING:
    from controller.runtime.daemon import Daemon

log = logging.getLogger(__name__)

T = TypeVar("T")

ALARM = "configuration not loaded"
# Requests at the control socket are short; one that is not, such as a disk that hangs, is no moment to reload.
QUIET_WITHIN_S = 5.0
MOST_WAITING = 8
# An event that names more is read by nobody.
MOST_TOLD = 200
_GOES = Text("let go because the configuration changes", "配置变更，正在释放")


class Configuration(NamedTuple):
    """A compiled site with what carries its history and messages elsewhere."""

    site: Site
    remote: RemoteHistorian | None = None
    messenger: Messenger | None = None


Load = Callable[[], Configuration]
"""Reads and checks the site's files. Raises ConfigError with every problem. Called in a thread of its own."""


class Result(StrEnum):
    """different: what a dry run found, and would have loaded. unsettled: files that were still being written; nothing
    came of it, and nobody is told."""

    RELOADED = "reloaded"
    UNCHANGED = "unchanged"
    DIFFERENT = "different"
    REFUSED = "refused"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """before, after: hashes of the configurations; after is empty where the files could not be compiled."""

    result: Result
    before: str
    after: str = ""
    differences: tuple[Text, ...] = ()
    problems: tuple[Problem, ...] = ()
    why: Text = NO_TEXT


class ReloadRefused(Exception):
    """Why a configuration that is right in itself is not taken now."""

    def __init__(self, en: str, zh: str) -> None:
        self.why = Text(en, zh)
        super().__init__(en)


class _Examined(NamedTuple):
    """ours: the systems that were Tidewatt's when it was examined."""

    configuration: Configuration
    ours: frozenset[str]
    differences: tuple[Text, ...]
    change: Reconfiguration
    not_commissioned: str


class _Unsettled(Exception):
    """What was read may be half of what somebody writes."""


class _Request(NamedTuple):
    who: str
    is_dry_run: bool
    must_stand_still: bool
    answer: asyncio.Future[Outcome]


class _Leaving:
    """Keeps everybody from commanding what is to be let go."""

    def __init__(self, points: Collection[PointId]) -> None:
        self._inhibited = dict.fromkeys(points, Inhibition(_GOES))

    def inhibited(self, image: FrozenImage) -> Mapping[PointId, Inhibition]:
        del image
        return self._inhibited


class Reloads:
    """One at a time, in a task of its own: whoever asked may hang up."""

    def __init__(self, daemon: Daemon, load: Load | None) -> None:
        self._daemon = daemon
        self._load = load
        self._requests: asyncio.Queue[_Request] = asyncio.Queue(MOST_WAITING)
        self._alarmed = ""
        # What was read last, as it was then; after an attempt in vain to read it, as it was after that.
        self.read: Mapping[Path, FileState] = daemon.site.files

    @property
    def is_possible(self) -> bool:
        """Whether the daemon knows where its files are."""
        return self._load is not None

    def request(self, who: str, *, is_dry_run: bool = False, must_stand_still: bool = False) -> asyncio.Future[Outcome]:
        """Ask for a reload; the future is its outcome. Raises ReloadRefused where too many wait already.

        must_stand_still: where files change while they are read, nothing comes of it; for who cannot know that somebody
        has finished writing them.
        """
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            self._requests.put_nowait(_Request(who, is_dry_run, must_stand_still, answer))
        except asyncio.QueueFull:
            raise ReloadRefused("several reloads are waiting already", "已有多个重载请求在等待") from None
        return answer

    async def run(self) -> None:
        while True:
            request = await self._requests.get()
            outcome = await self._reload(request)
            if not request.answer.done():
                request.answer.set_result(outcome)

    async def _reload(self, request: _Request) -> Outcome:
        before = self._daemon.site.digest
        found: tuple[Text, ...] = ()
        after = ""
        try:
            examined = await self._examined(await self._loaded(request))
            found, after = examined.differences, examined.configuration.site.digest
            if not found:
                outcome = Outcome(Result.UNCHANGED, before, after)
            else:
                self._require_possible(examined)
                if not request.is_dry_run:
                    await self._take(examined)
                outcome = Outcome(Result.DIFFERENT if request.is_dry_run else Result.RELOADED, before, after, found)
        except _Unsettled:
            return Outcome(Result.UNSETTLED, before)
        except ConfigError as error:
            first, count = error.problems[0], len(error.problems)
            more, more_zh = (f" (and {count - 1} more)", f"（另有 {count - 1} 处）") if count > 1 else ("", "")
            why = Text(f"{first}{more}", f"{first}{more_zh}")
            outcome = Outcome(Result.REFUSED, before, problems=error.problems, why=why)
        except ReloadRefused as error:
            outcome = Outcome(Result.REFUSED, before, after, found, why=error.why)
        except EnvironmentProblem as error:
            outcome = Outcome(Result.REFUSED, before, after, found, why=Text(str(error), str(error)))
        if not request.is_dry_run:
            self._tell(outcome, request.who)
        return outcome

    async def _loaded(self, request: _Request) -> Configuration:
        """Raises ConfigError with what is wrong in the files."""
        if self._load is None:
            raise ReloadRefused("this daemon was started without its files", "该守护进程启动时未使用站点文件")
        found: Configuration | ConfigError
        try:
            found = await self._beside(self._load)
            files = found.site.files
        except ConfigError as error:
            found, files = error, error.files
        except EnvironmentProblem:
            if not request.is_dry_run:
                self.read = await self._beside(partial(states_of, self.read))
            raise
        if request.must_stand_still and await self._beside(partial(states_of, files)) != files:
            raise _Unsettled
        if not request.is_dry_run:
            self.read = files
        if isinstance(found, ConfigError):
            raise found
        return found

    async def _examined(self, configuration: Configuration) -> _Examined:
        daemon = self._daemon
        site, simulated = daemon.site, daemon.commissioning.simulated_at_start
        ours = self._ours()

        def examine() -> _Examined:
            change = reconfiguration(site, configuration.site)
            lacking = not_commissioned(site, configuration.site, ours, simulated, change)
            return _Examined(configuration, ours, tuple(differences(site, configuration.site)), change, lacking)

        return await self._beside(examine)

    async def _beside(self, work: Callable[[], T]) -> T:
        """Beside the loop: compiling and comparing a large site takes seconds."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="reload")
        try:
            with self._daemon.clock.outside():
                return await asyncio.get_running_loop().run_in_executor(thread, work)
        finally:
            # Who ends the daemon meanwhile does not wait for it.
            thread.shutdown(wait=False)

    def _ours(self) -> frozenset[str]:
        return frozenset(each for each, has in self._daemon.authority.items() if has is Authority.TIDEWATT)

    def _require_possible(self, examined: _Examined) -> None:
        """Asked again until the moment of the change: letting go may take minutes, and the building goes on."""
        daemon = self._daemon
        if examined.not_commissioned:
            first = examined.not_commissioned.partition("\n")[0].rstrip(":")
            raise ReloadRefused(
                f"{first}; hand it back first: tidewatt authority SITE SYSTEM original",
                f"{first}；请先交还：tidewatt authority SITE SYSTEM original",
            )
        if given := sorted(self._ours() - examined.ours):
            raise ReloadRefused(
                f"system {given[0]} was given to Tidewatt meanwhile; try again",
                f"系统 {given[0]} 期间已交由 Tidewatt 控制，请重试",
            )
        burning = next((each.input.point for each in daemon.fire.all if each.standing.is_latched), None)
        if burning is not None:
            raise ReloadRefused(
                f"{burning}: the fire is not reset; nothing is changed before that",
                f"{burning}：火警尚未复位，不作任何更改",
            )
        measurement = daemon.silence.measurement
        if measurement is not None and not measurement.is_over:
            raise ReloadRefused(
                f"{measurement.item.id} is being measured; wait for its end, or stop it",
                f"正在测试 {measurement.item.id}；请等待其结束或停止测试",
            )
        is_fast = isinstance(daemon.clock, ScaledClock) and daemon.clock.speed != 1.0
        if is_fast and examined.change.moved_devices:
            moved = ", ".join(sorted(examined.change.moved_devices))
            raise ReloadRefused(
                f"this site lives in a simulator's faster time, and {moved} may be no part of it; start it anew",
                f"站点按仿真器的加速时间运行，{moved} 可能不属于该仿真器；请重新启动",
            )

    async def _take(self, examined: _Examined) -> None:
        daemon, scan = self._daemon, self._daemon.scan
        leaving = _Leaving(examined.change.let_go)
        scan.inhibitors.append(leaving)
        try:
            await self._wait_until_let_go(examined)
            async with daemon.gate.closed(QUIET_WITHIN_S):
                self._require_possible(examined)
                await daemon.switch_to(examined.configuration, examined.change)
        except GateBusy:
            raise ReloadRefused("requests are still being met; try again", "尚有请求未处理完，请重试") from None
        finally:
            scan.inhibitors.remove(leaving)

    async def _wait_until_let_go(self, examined: _Examined) -> None:
        daemon, points = self._daemon, examined.change.let_go
        within = max(
            (each.release_within for each in daemon.site.systems if not set(each.points).isdisjoint(points)),
            default=None,
        )
        if within is None:
            return
        daemon.scan.request_early()
        late = daemon.clock.monotonic() + within.total_seconds()
        while left := [point for point in daemon.writer.holdings if point in points]:
            if daemon.clock.monotonic() >= late:
                seconds = f"{within.total_seconds():g}"
                raise ReloadRefused(
                    f"{left[0]} was not let go within {seconds} s, and cannot be changed while it is held",
                    f"{left[0]} 未能在 {seconds} 秒内释放，持有期间不能更改",
                )
            pause = daemon.site.scan_every.total_seconds()
            await daemon.clock.sleep_until(daemon.clock.monotonic() + pause, Phase.RECORD, "reload")
            self._require_possible(examined)

    # --- telling ------------------------------------------------------------------------------------------------

    def _tell(self, outcome: Outcome, who: str) -> None:
        daemon = self._daemon
        if outcome.result is Result.REFUSED:
            log.warning("configuration not loaded, the present one goes on: %s", outcome.why.en)
            self._alarmed = daemon.site.name
            reason: dict[str, JsonValue] = {"reason": outcome.why.en, "reason_zh": outcome.why.zh}
            daemon.journal.note(EventKind.ALARM, self._alarmed, {"alarm": ALARM, "state": "active", **reason})
        elif self._alarmed:
            daemon.journal.note(EventKind.ALARM, self._alarmed, {"alarm": ALARM, "state": "cleared"})
            self._alarmed = ""
        if outcome.result is Result.RELOADED:
            log.info("configuration %s is loaded instead of %s", outcome.after, outcome.before)
        if outcome.result is not Result.UNCHANGED:
            body = {"step": outcome.result.value, "who": who, **told(outcome, MOST_TOLD)}
            daemon.journal.note(EventKind.CONFIGURATION, daemon.site.name, body)


def not_commissioned(
    old: Site, new: Site, ours: Collection[str], simulated: frozenset[str], change: Reconfiguration
) -> str:
    """Why a system that is Tidewatt's now could not stay so after the change; empty where all of them can."""
    before, after = Commissioning(old, simulated), Commissioning(new, simulated - change.moved_devices)
    for system in (each.id for each in new.systems if each.id in ours):
        why = after.why_not(system, after.simulated_at_start)
        # One that has proved to be simulated since the start has its devices where they were.
        if why and not (
            before.why_not(system, simulated) and change.moved_devices.isdisjoint(_devices_of(new, system))
        ):
            return why
    return ""


def _devices_of(site: Site, system: str) -> set[str]:
    points = {point for each in site.systems if each.id == system for point in each.points}
    return {device.id for link in site.links for device in link.devices if not points.isdisjoint(device.points)}


def told(outcome: Outcome, most: int | None = None) -> dict[str, JsonValue]:
    """The outcome as plain JSON; `most` lines of each list."""
    return {
        "before": outcome.before,
        "after": outcome.after,
        "difference": [each.en for each in outcome.differences[:most]],
        "difference_zh": [each.zh for each in outcome.differences[:most]],
        "problems": [
            {"file": str(each.file), "line": each.line, "wrong": each.wrong, "right": each.right}
            for each in outcome.problems[:most]
        ],
        "reason": outcome.why.en,
        "reason_zh": outcome.why.zh,
    }
