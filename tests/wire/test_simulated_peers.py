"""The simulated building asked by clients that nobody of Tidewatt wrote: npm's node-bacnet and node-opcua."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.wire.bacnet_node import OUR_HOST
from tests.wire.node_program import FOLDER, PATIENCE_S, node_with
from tests.wire.simulated_site import Simulated, compiled, copied, served

pytestmark = [pytest.mark.wire, pytest.mark.system, pytest.mark.slow]

LAMPS, DECK = "outdoor.lighting_1", "garage.group_3"


async def visited(package: str, script: str, folder: Path, *arguments: str) -> Any:
    """What the visitor saw."""
    node = node_with(package)
    process = await asyncio.create_subprocess_exec(
        node,
        str(FOLDER / script),
        *arguments,
        cwd=FOLDER,
        stdout=asyncio.subprocess.PIPE,
        env={"HOME": str(folder), "PATH": os.pathsep.join([str(Path(node).parent), os.defpath])},
    )
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return json.loads(out.splitlines()[-1])


async def test_node_bacnet_holds_the_lamps_and_lets_go(tmp_path: Path) -> None:
    simulated = Simulated(compiled(copied(tmp_path)), "outdoor")
    async with served(simulated):
        place = simulated.link.bindings[0].address.device
        saw = await visited("node-bacnet", "bacnet_visitor.js", tmp_path, OUR_HOST, place)
        assert saw["before"] == [0], saw
        assert saw["held"] == [1]
        assert saw["slots"] == [1 if slot == 8 else None for slot in range(1, 17)]
        assert saw["after"] == [None] * 16
        assert saw["name"] == [f"{LAMPS}.command"]
        assert simulated.site.read(f"{LAMPS}.remote") is False


async def test_node_opcua_takes_a_lamp_group(tmp_path: Path) -> None:
    simulated = Simulated(compiled(copied(tmp_path)), "building")
    async with served(simulated):
        url = simulated.link.connection.url
        saw = await visited("node-opcua-client", "opcua_visitor.js", tmp_path, url, "ns=2;s=Building.")
        assert saw["before"] == [False, "Good", "Boolean"], saw
        assert saw["writes"] == ["Good", "BadOutOfRange", "BadTypeMismatch", "BadNotWritable", "Good"]
        assert saw["after"] == [True, "Good", "Boolean"]
        assert saw["command"] == [40, "Good", "Double"]
        assert simulated.site.read(f"{DECK}.brightness_command") == 0.4
