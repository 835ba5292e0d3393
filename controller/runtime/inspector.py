"""One point looked at closely while the daemon works: on its link's own session, between two polls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from controller.core.errors import DeviceError
from controller.core.point import PointId
from controller.core.ports import Clock, Inspection, Inspects
from controller.runtime.link import LinkTask, Session

# A poll of a slow line and the request itself; whoever asks must not be left without an answer.
LONGEST_INSPECTION_S = 20.0


class InspectionRefused(Exception):
    """Why a point cannot be shown as the wire has it."""


class Inspected(NamedTuple):
    """round_trip: seconds of the wire from request to answer, without the wait for the link's turn."""

    inspection: Inspection
    round_trip: float


class Inspector:
    def __init__(self, links: Iterable[LinkTask], clock: Clock) -> None:
        self._links = {point: link for link in links for device in link.link.devices for point in device.points}
        self._clock = clock

    async def inspect(self, point: PointId) -> Inspected:
        """Ask the device itself. Raises InspectionRefused where the driver cannot, or the link does not answer."""
        link = self._links[point]
        session = link.session
        if session is None:
            raise InspectionRefused(f"link {link.link.id} is not connected: {link.trouble}")
        driver = session.driver
        if not isinstance(driver, Inspects):
            raise InspectionRefused(f"the driver {link.link.driver.name} cannot show raw values")
        try:
            async with asyncio.timeout(LONGEST_INSPECTION_S):
                return await self._asked(session, driver, point)
        except DeviceError as error:
            raise InspectionRefused(f"{point}: {error}") from error
        except TimeoutError as error:
            raise InspectionRefused(
                f"{point}: link {link.link.id} gave no answer within {LONGEST_INSPECTION_S:g} s"
            ) from error

    async def _asked(self, session: Session, driver: Inspects, point: PointId) -> Inspected:
        async with session.lock:
            with session.calls.during("inspect"):
                began = self._clock.wire_time()
                inspection = await driver.inspect(point)
                return Inspected(inspection, self._clock.wire_time() - began)
