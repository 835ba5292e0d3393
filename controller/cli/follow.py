"""Whether everything on the site's links is one simulator, and if so its time.

Devices of a simulator serve a nonce, the time they live in and its speed. Only if *every* device of the site serves the
same nonce does the daemon follow; one real device among them keeps it at the machine's own time. Virtual points have no
wire and nothing to prove.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from controller.core.errors import DeviceError, EnvironmentProblem
from controller.core.ports import Clock
from controller.core.simulation import Proof, proof_of, proof_points
from controller.core.site import Link, Site
from controller.runtime.clock import RealClock, ScaledClock

# A device that does not answer in this time is not the simulator that we started.
PROOF_WITHIN_S = 5.0


class Followed(NamedTuple):
    """The clock to run a site on; simulated: the devices that have proved to be simulators."""

    clock: Clock
    simulated: frozenset[str]


async def follow(site: Site, nonce: int | None = None) -> Followed:
    """Ask every device what it is. With `nonce` given they must be that simulator.

    Raises EnvironmentProblem where a fast simulator is mixed with anything else.
    """
    wired = [link for link in site.links if not link.driver.is_virtual]
    proofs = [proof for link in await _all_proofs(wired) for proof in link]
    simulated = frozenset(proof.device for proof in proofs if proof.nonce is not None)
    return Followed(_clock_of(proofs, nonce), simulated)


def _clock_of(proofs: Sequence[Proof], nonce: int | None) -> Clock:
    first = next((proof for proof in proofs if proof.nonce is not None), None)
    if first is None or first.now is None:
        if nonce is not None:
            raise EnvironmentProblem("the simulator does not answer on the links of this site")
        return RealClock()
    strangers = [proof.device for proof in proofs if proof.nonce != (first.nonce if nonce is None else nonce)]
    if not strangers:
        return ScaledClock(first.now, first.speed)
    if first.speed == 1.0 and nonce is None:
        return RealClock()
    raise EnvironmentProblem(
        f"device {first.device} is a simulator at {first.speed:g} times real speed, but {', '.join(strangers)} is not "
        "part of it; a faster clock is only for a site that is simulated as a whole"
    )


async def _all_proofs(links: Sequence[Link]) -> list[list[Proof]]:
    """Of every link. Where some prove to be simulators, those that did not are asked once more: while the libraries of
    all protocols are loaded nothing else is done, and a device may be given up meanwhile.
    """
    proofs = await asyncio.gather(*map(_proofs, links))
    late = [number for number, own in enumerate(proofs) if any(proof.nonce is None for proof in own)]
    if 0 < len(late) < len(links):
        for number, again in zip(late, await asyncio.gather(*(_proofs(links[each]) for each in late)), strict=True):
            proofs[number] = again
    return proofs


async def _proofs(link: Link) -> list[Proof]:
    """One proof a device; a link that cannot be opened proves nothing."""
    silent = [Proof(device.id, None) for device in link.devices]
    points = proof_points(link.devices)
    if not points:
        return silent
    try:
        async with asyncio.timeout(PROOF_WITHIN_S):
            async with link.driver.open(link.id, link.connection, link.bindings, RealClock()) as driver:
                samples = await driver.read(points)
    except (DeviceError, TimeoutError):
        return silent
    return [proof_of(device, samples) for device in link.devices]
