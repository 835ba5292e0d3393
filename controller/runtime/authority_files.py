"""A file by which a script keeps a system with its original controls: state/authority/SYSTEM, or `all`.

It says `original` or `tidewatt`; one that is not there objects to nothing. Read in a thread, beside the scan.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from controller.core.ports import Clock, Phase
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime.authorities import Authorities

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
ALL = "all"
# What is longer is not the word.
_LONGEST = 64
_WORDS = frozenset({Authority.ORIGINAL.value, Authority.TIDEWATT.value})


class AuthorityFiles:
    def __init__(self, folder: Path, systems: Collection[str], clock: Clock, authorities: Authorities) -> None:
        self._folder = folder
        self._systems = systems
        self._clock = clock
        self._authorities = authorities
        self._said: dict[str, str] = {}
        self._nonsense: dict[str, str] = {}
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="authority files") as thread:
            while True:
                with self._clock.outside():
                    found = await asyncio.get_running_loop().run_in_executor(thread, self._read)
                self._take(found)
                pause = self._clock.monotonic() + LOOK_EVERY_S
                await self._clock.sleep_until(pause, Phase.CALENDAR, "authority files")

    def _read(self) -> dict[str, str] | None:
        """What stands in each file; None where the folder cannot be read, which changes nothing."""
        try:
            paths = [path for path in self._folder.iterdir() if not path.name.startswith(".")]
            return {path.name: _content(path) for path in paths if path.is_file()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            log.debug("%s cannot be read: %s", self._folder, error)
            return None

    def _take(self, found: dict[str, str] | None) -> None:
        if found is None:
            return
        nonsense = {name: said for name, said in found.items() if said not in _WORDS or not self._is_known(name)}
        for name, said in nonsense.items():
            # Seen twice: a file that is just being written is empty for a moment.
            if self._nonsense.get(name) == said and self._told.get(name) != said:
                self._told[name] = said
                words = f"write original or tidewatt into a file called {', '.join([*self._systems, ALL])}"
                log.warning("%s: %r says nothing about a system; %s", self._folder / name, said, words)
        self._nonsense = nonsense
        # Whatever cannot be understood changes nothing.
        kept = {name: self._said[name] for name in nonsense if name in self._said}
        said = {name: word for name, word in found.items() if name not in nonsense} | kept
        for name in {**self._said, **said}:
            self._follow(name, self._said.get(name), said.get(name))
        self._said = said

    def _is_known(self, name: str) -> bool:
        return name == ALL or name in self._systems

    def _follow(self, name: str, before: str | None, now: str | None) -> None:
        was, stands = before == Authority.ORIGINAL, now == Authority.ORIGINAL
        if was == stands:
            return
        for system in self._systems if name == ALL else [name]:
            if stands:
                reason = Text(
                    f"the file {self._folder.name}/{name} says original", f"文件 {self._folder.name}/{name} 为 original"
                )
                self._authorities.veto(system, f"file {name}", reason)
            else:
                self._authorities.lift_veto(system, f"file {name}")

    def succeed(self, earlier: AuthorityFiles) -> None:
        """What the files said stands, also for systems that are new."""
        self._said, self._told = earlier._said, earlier._told
        for name, said in self._said.items():
            self._follow(name, None, said)

    def withdraw(self, authorities: Authorities) -> None:
        """The site is not switched by files any more."""
        for name in self._said:
            for system in self._systems:
                if system in authorities.vetoes:
                    authorities.lift_veto(system, f"file {name}")


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LONGEST).decode("utf-8", "replace").strip().lower()
