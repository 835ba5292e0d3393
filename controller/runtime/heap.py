"""What lasts as long as a configuration is kept out of the garbage collector's sight.

A full collection looks at every object: 50 ms for a site of 2,500 points, in which no link is polled. What was there
when the daemon had settled is frozen, so that a collection looks only at what came since. After a reload everything is
looked at once more, so that the earlier configuration goes.
"""

from __future__ import annotations

import asyncio
import gc

from controller.core.site import Site
from controller.runtime.daemon import Daemon

# Longer than it takes until the links are connected and every point has been read.
LOOK_EVERY_S = 5.0


async def keep_settled(daemon: Daemon) -> None:
    """For a process that is one daemon's alone."""
    settled: Site | None = None
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if daemon.site is not settled:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            settled = daemon.site
