"""The way out, for every reason: what is held is let go in order, by the same cycle (decision 0006)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from controller.core.point import PointId
from controller.core.ports import Phase
from controller.runtime.composition import Composition
from controller.runtime.link import LinkTask

log = logging.getLogger(__name__)

# Shutting down, a progress line this often.
PROGRESS_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Releasing:
    """Progress of letting go: points still held, seconds since it began and seconds it may take."""

    held: tuple[PointId, ...]
    elapsed: float
    within: float


Progress = Callable[[Releasing], None]


def nobody_watches(_: Releasing) -> None:
    """For whoever does not show progress."""


async def let_go(parts: Composition, progress: Progress) -> bool:
    """The same cycle with no wish at all, over fresh connections, until nothing is held or time is up; answers whether
    all of it was let go."""
    parts.scan.letting_go = True
    parts.writer.speak_again()
    within = max((system.release_within for system in parts.site.systems), default=timedelta(0)).total_seconds()
    began = parts.clock.monotonic()
    if not parts.writer.holdings:
        return True
    for link in parts.links:
        link.insists = True  # nobody can say any more that it shall be tried again
    parts.rights.refresh()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_run_links(parts.links), name="links")]
        tasks.append(group.create_task(parts.scan.run(), name="scan"))
        tasks.append(group.create_task(parts.recorder.run(), name="recorder"))
        if parts.forwarder is not None:
            tasks.append(group.create_task(parts.forwarder.run(), name="forwarder"))
        while parts.writer.holdings and parts.clock.monotonic() - began < within:
            progress(Releasing(tuple(parts.writer.holdings), parts.clock.monotonic() - began, within))
            await _pause(parts)
        for task in tasks:
            task.cancel()
    progress(Releasing(tuple(parts.writer.holdings), parts.clock.monotonic() - began, within))
    return not parts.writer.holdings


async def _run_links(links: Iterable[LinkTask]) -> None:
    """Each for itself: a defect in one driver must not keep the others from letting go."""
    await asyncio.gather(*(_run_link(link) for link in links), return_exceptions=True)


async def _run_link(link: LinkTask) -> None:
    try:
        await link.run()
    except asyncio.CancelledError:
        raise
    except BaseException:
        log.exception("link %s failed while letting go", link.link.id)
        raise


async def _pause(parts: Composition) -> None:
    period = min(PROGRESS_EVERY_S, parts.site.scan_every.total_seconds())
    await parts.clock.sleep_until(parts.clock.monotonic() + period, Phase.RECORD, "progress")
