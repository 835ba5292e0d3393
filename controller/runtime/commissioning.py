"""Whether a site has been tested far enough for Tidewatt to have a system: its records, and what proves a simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from controller.core.commissioning import Item, Record, Result, Standing, missing, standings
from controller.core.commissioning_items import items_of
from controller.core.errors import ConfigError, ConnectFailed, DeviceError, EnvironmentProblem
from controller.core.event import JsonValue
from controller.core.point import PointId
from controller.core.sample import Sample
from controller.core.simulation import proof_of, proof_points
from controller.core.site import Site
from controller.runtime.commissioning_records import append_record, read_records
from controller.runtime.link import LinkTask

PROOF_WITHIN_S = 5.0
LOOK_FOR_SESSION_S = 0.1
# A refusal names so many items; the sheet has them all.
MOST_NAMED = 12


class Commissioning:
    """simulated: devices that had proved to be simulators when the daemon started; later they are asked anew."""

    def __init__(self, site: Site, simulated: Collection[str] = ()) -> None:
        self._site = site
        self.items = {item.id: item for item in items_of(site)}
        self._required: dict[str, list[Item]] = {system.id: [] for system in site.systems}
        for item in self.items.values():
            for system in item.required_by:
                self._required[system].append(item)
        self._devices = {
            system: frozenset[str]().union(*(item.devices for item in required))
            for system, required in self._required.items()
        }
        self.simulated_at_start = frozenset(simulated)
        self._may_be_simulated = {
            device.id for link in site.links for device in link.devices if device.simulation is not None
        }

    def standings(self) -> list[Standing]:
        """By the records as they are now. Raises ConfigError, EnvironmentProblem where they cannot be read."""
        return standings(self.items.values(), read_records(self._site.folder))

    def why_not(self, system: str, simulated: Collection[str] = ()) -> str:
        """Why Tidewatt may not have the system; empty where it may. Records that cannot be read prove nothing.

        simulated: devices that have just proved to be simulators. Where nothing real takes part nothing is required.
        """
        if self.is_simulated(system, simulated):
            return ""
        try:
            records = read_records(self._site.folder)
        except (ConfigError, EnvironmentProblem) as error:
            return f"system {system} is not known to be commissioned: {error}"
        lacking = missing(standings(self._required[system], records), system)
        return refusal(system, lacking) if lacking else ""

    def is_simulated(self, system: str, simulated: Collection[str]) -> bool:
        return self._devices[system] <= frozenset(simulated)

    def may_prove(self, system: str) -> bool:
        """Whether every device that takes part could still turn out to be a simulator."""
        return self._devices[system] <= self._may_be_simulated

    async def prove(self, links: Iterable[LinkTask], systems: Iterable[str]) -> frozenset[str]:
        """Ask the systems' devices now, all links together and on their own sessions; what is silent proves nothing.

        The answer is the devices that are simulators. It is not kept: tomorrow something else may stand there.
        """
        asked = frozenset[str]().union(*(self._devices[system] for system in systems))
        return frozenset[str]().union(*await asyncio.gather(*(_simulated(link, asked) for link in links)))

    def record(self, item: Item, result: Result, who: str, measured: str, note: str, at: datetime) -> Record:
        """Keep what somebody found. Raises EnvironmentProblem where it cannot be kept."""
        record = Record(at.astimezone(self._site.zone), item.id, result, who, measured, note, item.configuration)
        append_record(self._site.folder, record)
        return record


async def _simulated(link: LinkTask, asked: Collection[str]) -> frozenset[str]:
    devices = [device for device in link.link.devices if device.simulation is not None and device.id in asked]
    if not devices:
        return frozenset()
    try:
        async with asyncio.timeout(PROOF_WITHIN_S):
            samples = await _read(link, proof_points(devices))
    except (DeviceError, TimeoutError):
        return frozenset()
    proofs = [proof_of(device, samples) for device in devices]
    return frozenset(proof.device for proof in proofs if proof.nonce is not None)


async def _read(link: LinkTask, points: Collection[PointId]) -> Mapping[PointId, Sample]:
    """A link that is well may be just being opened anew, with other rights: its next session is waited for."""
    while True:
        try:
            if link.session is None:
                raise ConnectFailed(link.link.id, "read", link.trouble)
            return await link.session.read(points)
        except DeviceError:
            if not link.is_up:
                raise
        await asyncio.sleep(LOOK_FOR_SESSION_S)


def body_of(record: Record) -> dict[str, JsonValue]:
    """The record as an event has it."""
    return {
        "item": record.item,
        "result": record.result.value,
        "who": record.who,
        "measured": record.measured,
        "note": record.note,
        "tested_configuration": record.configuration,
    }


def refusal(system: str, lacking: Collection[Standing]) -> str:
    """Several lines: what is missing, and where to go on."""
    named = [f"  {each.item.id}: {each.status}" for each in list(lacking)[:MOST_NAMED]]
    if len(lacking) > MOST_NAMED:
        named.append(f"  and {len(lacking) - MOST_NAMED} more")
    return "\n".join(
        [
            f"system {system} is not commissioned; {len(lacking)} tests have not passed:",
            *named,
            f"all of them: tidewatt commission SITE sheet; "
            f"to make them: tidewatt authority SITE {system} commissioning --for 2h",
        ]
    )
