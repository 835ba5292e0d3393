"""`tidewatt run SITE` whose scan hangs as soon as FILE exists: python hanging_daemon.py SITE FILE.

It stands behind the scan's own seam for inhibitions, so that everything else of the daemon is as it always is.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from controller.cli.follow import follow
from controller.cli.run import live, open_daemon
from controller.cli.site_folder import load_site
from controller.core.inhibition import Inhibition
from controller.core.point import PointId
from controller.runtime.image import FrozenImage


class Hangs:
    def __init__(self, file: Path) -> None:
        self._file = file

    def inhibited(self, image: FrozenImage) -> Mapping[PointId, Inhibition]:
        del image
        if self._file.exists():
            threading.Event().wait()
        return {}


async def main(folder: Path, file: Path) -> int:
    site = load_site(folder)
    with ExitStack() as stack:
        daemon, serve = open_daemon(site, await follow(site), stack)
        daemon.scan.inhibitors.append(Hangs(file))
        return await live(daemon, None, serve)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]))))
