"""Requests that change something, and the moment in which none may be half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class GateBusy(Exception):
    """Somebody stayed inside for too long."""


class Gate:
    """Open for any number at once; while it is closed nobody is inside, and who comes waits."""

    def __init__(self) -> None:
        self._inside = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._is_open = asyncio.Event()
        self._is_open.set()

    @asynccontextmanager
    async def passing(self) -> AsyncGenerator[None]:
        await self._is_open.wait()
        self._inside += 1
        self._is_empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._is_empty.set()

    @asynccontextmanager
    async def closed(self, within: float) -> AsyncGenerator[None]:
        """Raises GateBusy where somebody stays inside for so many seconds; nobody has been kept waiting then."""
        try:
            async with asyncio.timeout(within):
                while self._inside:
                    await self._is_empty.wait()
        except TimeoutError:
            raise GateBusy from None
        self._is_open.clear()
        try:
            yield
        finally:
            self._is_open.set()
