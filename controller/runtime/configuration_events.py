"""What configuration is in force from now on, told to whoever looks back: its hash, and the strategies' modes."""

from __future__ import annotations

from controller.core.event import EventKind
from controller.core.site import Site
from controller.runtime.journal import Journal
from controller.runtime.store import Store
from controller.runtime.stored import ConfigurationInForce


async def note_configuration(site: Site, store: Store, journal: Journal) -> None:
    """Note it beside what was in force before, which the store knows. Raises EnvironmentProblem."""
    before = await store.load_configuration() or ConfigurationInForce("", {})
    now = ConfigurationInForce(site.digest, {mount.id: mount.mode.value for mount in site.mounts})
    journal.note(EventKind.CONFIGURATION, site.name, {"in_force": now.digest, "before": before.digest or None})
    for mount in sorted({*now.modes, *before.modes}):
        mode, earlier = now.modes.get(mount), before.modes.get(mount)
        if mode != earlier:
            journal.note(EventKind.MODE, mount, {"mode": mode, "before": earlier})
    if now != before:
        await store.save_configuration(now)
