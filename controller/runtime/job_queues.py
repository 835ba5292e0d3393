"""What is to be written next at each link, and what of it is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

from controller.core.ledger import Job
from controller.core.point import PointId


class JobQueues:
    """in_flight: points whose intent is being stored, or whose bytes are on their way."""

    def __init__(self, links: Iterable[str]) -> None:
        self._queues: dict[str, dict[PointId, Job]] = {link: {} for link in links}
        self._work = {link: asyncio.Event() for link in self._queues}
        self.in_flight: set[PointId] = set()
        self._is_quiet = asyncio.Event()
        self._is_quiet.set()
        self._are_closed = False

    @property
    def queued(self) -> Iterator[Job]:
        return (job for queue in self._queues.values() for job in queue.values())

    def put(self, link: str, job: Job) -> None:
        self._queues[link][job.point] = job
        self._work[link].set()

    def clear(self) -> None:
        for link in self._queues:
            self.clear_link(link)

    def clear_link(self, link: str) -> None:
        self._queues[link].clear()

    def close(self) -> None:
        """Nothing more comes out: another writer serves the links."""
        self._are_closed = True
        for work in self._work.values():
            work.set()

    async def next(self, link: str) -> Sequence[Job]:
        """Everything that is queued for the link, once there is something; empty where there never will be."""
        while True:
            await self._work[link].wait()
            if self._are_closed:
                return ()
            self._work[link].clear()
            jobs = list(self._queues[link].values())
            self._queues[link].clear()
            if jobs:
                return jobs

    @contextmanager
    def at_work(self, jobs: Sequence[Job]) -> Generator[None]:
        points = [job.point for job in jobs]
        self.in_flight.update(points)
        self._is_quiet.clear()
        try:
            yield
        finally:
            self.in_flight.difference_update(points)
            if not self.in_flight:
                self._is_quiet.set()

    async def quiet(self) -> None:
        """Return once no bytes are on their way, and no intent is being stored."""
        while self.in_flight:
            await self._is_quiet.wait()
