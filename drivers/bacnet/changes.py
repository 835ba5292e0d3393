"""What devices tell unasked: which subscriptions stand, until when, and what has come since it was last taken."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from controller.core.point import PointId
from controller.core.sample import Sample
from drivers.bacnet.address import ObjectId, Reference
from drivers.bacnet.device import PROCESS
from drivers.bacnet.wire import Garbled, Value, constructed_values

if TYPE_CHECKING:
    from bacpypes3.pdu import Address

# A subscription is renewed at half of this. One that a device has lost (it restarted) is missed until then, and
# SLOW_POLL_S shows its values meanwhile.
LIFETIME_S: Final = 300
RENEW_S: Final = LIFETIME_S / 2
# How often values that are told are asked for all the same.
SLOW_POLL_S: Final = 30.0
# How often it is looked whether a subscription is due, or a silent device has rested.
LOOK_AGAIN_S: Final = 1.0


class Told(NamedTuple):
    """One notification. where: the sender's address; the values by property."""

    where: Address
    object: ObjectId
    values: Mapping[Reference, Value]


def notification(apdu: Any) -> Told | None:
    """What a notification says; None where it is none of ours, or garbled."""
    type, instance = apdu.monitoredObjectIdentifier
    object = ObjectId(int(type), int(instance))
    if int(apdu.subscriberProcessIdentifier) != PROCESS:
        return None
    values: dict[Reference, Value] = {}
    for each in apdu.listOfValues:
        element = None if each.propertyArrayIndex is None else int(each.propertyArrayIndex)
        try:
            values[Reference(object, int(each.propertyIdentifier), element)] = constructed_values(
                bytes(each.value.tagList.encode().pduData)
            )
        except Garbled:
            return None
    return Told(apdu.pduSource, object, values)


class News:
    """What has come and was not taken yet; of each point only the newest, so that it stays bounded."""

    def __init__(self) -> None:
        self._waiting: dict[PointId, Sample] = {}
        self._something = asyncio.Event()
        self.is_over = False

    def put(self, samples: Mapping[PointId, Sample]) -> None:
        self._waiting.update(samples)
        self._something.set()

    def end(self) -> None:
        """The link is lost: nothing comes any more."""
        self.is_over = True
        self._something.set()

    def take(self) -> Mapping[PointId, Sample]:
        taken, self._waiting = self._waiting, {}
        if not self.is_over:
            self._something.clear()
        return taken

    async def wait(self, seconds: float) -> None:
        """Until something has come, or so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._something.wait()
        except TimeoutError:
            return
