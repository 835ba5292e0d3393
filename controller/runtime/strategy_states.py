"""What strategies remember outlives the process, as long as they are of the kind and version that wrote it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from controller.core.event import EventKind
from controller.core.state_codec import decode, encode
from controller.core.strategy import StrategyKind
from controller.runtime.journal import Journal
from controller.runtime.mounted import MountedStrategy
from controller.runtime.store import Store
from controller.runtime.stored import StoredState

log = logging.getLogger(__name__)


class StrategyStates:
    def __init__(self, strategies: Sequence[MountedStrategy], store: Store, journal: Journal) -> None:
        self._strategies = strategies
        self._store = store
        self._journal = journal

    async def restore(self) -> None:
        stored = await self._store.load_states()
        for strategy in self._strategies:
            mount = strategy.mount
            state = stored.get(mount.id)
            if state is None:
                continue
            try:
                strategy.state = strategy.saved_state = _decoded(state, mount.kind)
            except ValueError as error:
                log.warning("strategy %s starts afresh, its stored state is not used: %s", mount.id, error)
                body = {"alarm": "stored state not used", "state": "active", "cause": str(error)}
                self._journal.note(EventKind.ALARM, mount.id, body)

    async def save(self) -> None:
        """What has changed since it was last saved. Raises EnvironmentProblem; then it is still to be saved."""
        changed = [(each, each.state) for each in self._strategies if each.state != each.saved_state]
        if changed:
            await self._store.save_states({each.mount.id: _stored(state, each.mount.kind) for each, state in changed})
            for strategy, state in changed:
                strategy.saved_state = state


def _stored(state: Any, kind: StrategyKind) -> StoredState:
    return StoredState(kind.name, kind.state_version, encode(state))


def _decoded(stored: StoredState, kind: StrategyKind) -> Any:
    if (stored.kind, stored.version) != (kind.name, kind.state_version):
        raise ValueError(f"it is of {stored.kind} version {stored.version}")
    return decode(kind.state, stored.state)
