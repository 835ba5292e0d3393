"""What goes between the plant's process and those of its servers: whole, in order, refused where the plant refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import ScaledClock
from simulator.device_clock import DeviceClock
from simulator.faults.wire import WELL, Wire
from simulator.servers.frames import Frames, framed
from simulator.servers.link import ModbusLink
from simulator.servers.picture import Answer, Begin, Changes, Picture, Wish
from simulator.tags import Tag

LAMPS = "garage.group_1"
SETPOINT = Tag(f"{LAMPS}.brightness_command", float, "1", writable=True, low=0.0, high=1.0)
LINK = ModbusLink("lighting", "127.0.0.1", 0, [])


@given(st.lists(st.binary(max_size=30), max_size=6), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_messages_come_whole_in_whatever_pieces(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(framed, messages))
    frames, came, at, turn = Frames(), list[object](), 0, 0
    while at < len(stream):
        end = at + cuts[turn % len(cuts)]
        came += frames.of(stream[at:end])
        at, turn = end, turn + 1
    assert came == messages


def test_a_picture_shows_what_was_told_and_hands_writes_to_the_plant() -> None:
    plant = {SETPOINT.name: 1.0}
    silent = {SETPOINT.name: Wire(is_silent=True)}

    def ask(wish: Wish) -> Answer:
        if wish.value == 0.1:
            return Answer("too dark", Changes({}, {}, False))
        plant[wish.name] = 1.0 if wish.value is None else float(wish.value)
        changes = Changes(dict(plant), silent, has_reading_faults=True)
        picture.take(changes)
        return Answer("", changes)

    clock = DeviceClock(ScaledClock(datetime(2026, 7, 6, tzinfo=UTC), 60.0), 4711)
    begin = Begin(LINK, {SETPOINT.name: SETPOINT}, clock, Changes(dict(plant), {}, has_reading_faults=False))
    picture = Picture(begin, ask)
    assert (picture.read(SETPOINT.name), picture.wire(SETPOINT.name)) == (1.0, WELL)
    assert (picture.read("simulation.lamps.nonce"), picture.read("simulation.lamps.speed")) == (4711, 60.0)
    with pytest.raises(KeyError):
        picture.tag(f"{LAMPS}.remote")

    picture.write(SETPOINT.name, 0.3)
    assert (plant[SETPOINT.name], picture.read(SETPOINT.name)) == (0.3, 0.3)
    assert (picture.wire(SETPOINT.name).is_silent, picture.has_reading_faults) == (True, True)
    with pytest.raises(ValueError, match="too dark"):
        picture.write(SETPOINT.name, 0.1)
    assert picture.read(SETPOINT.name) == 0.3
    picture.release(SETPOINT.name)
    assert picture.read(SETPOINT.name) == 1.0
