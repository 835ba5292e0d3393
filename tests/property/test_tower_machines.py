"""Whatever is written to the tower building's machines: what holds is what was written, and silence ends all of it."""

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from simulator.gateway import Value
from simulator.tower_building.machines import HEARTBEAT, WATCHDOG_S, Machines, commands_of
from simulator.tower_building.points import tags
from tests.sweep import examples

MACHINES = ("plant.chiller_1", "plant.tank_1", "air.air_handler_1", "garage.group_2")
KNOWN = {name: tag for name, tag in tags().items() if name.rpartition(".")[0] in MACHINES}
COMMANDS = [(machine, command) for machine, commands in commands_of(KNOWN).items() for command in commands]

Step: TypeAlias = tuple[str, tuple[str, str], bool, float]
steps = st.lists(
    st.tuples(
        st.sampled_from(["write", "unwrite", "remote", "beat", "forget"]),
        st.sampled_from(COMMANDS),
        st.booleans(),
        st.floats(0.0, 40.0),
    ),
    max_size=40,
)


def do(machines: Machines, step: Step, wire_now: float) -> None:
    what, (machine, command), is_set, _ = step
    match what:
        case "write":
            machines.write(machine, command, is_set)
        case "unwrite":
            machines.unwrite(machine, command)
        case "remote":
            machines.set_remote(machine, is_set, wire_now)
        case "beat":
            machines.beat(int(machines.reading(HEARTBEAT)()) + 1, wire_now)
        case _:
            machines.forget([machine, HEARTBEAT.rpartition(".")[0]])


@examples(60)
@given(steps=steps)
def test_what_holds_was_written_and_a_command_ends(steps: list[Step]) -> None:
    machines = Machines(KNOWN)
    holds: dict[str, Value] = {}
    wire_now = 0.0
    for step in steps:
        do(machines, step, wire_now)
        for tag, value in machines.changes().items():
            holds.pop(tag, None)
            if value is not None:
                holds[tag] = value
        remotes = {name: machine.remote for name, machine in machines.by_name.items()}
        assert holds == {
            f"{name}.{command}": value
            for name, remote in remotes.items()
            if remote.active
            for command, value in remote.written.items()
        }
        wire_now += step[-1]
        if machines.deadline <= wire_now:
            machines.expire(wire_now)
    machines.expire(wire_now + WATCHDOG_S)
    assert not any(machine.remote.active for machine in machines.by_name.values())
    assert {tag for tag, value in machines.changes().items() if value is None} >= holds.keys()
