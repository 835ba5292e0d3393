"""The priority array agrees with a naive reference, and every lease ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.core.command import Command, Priority, PriorityArray
from controller.core.point import PointId
from controller.core.text import NO_TEXT

POINT = PointId("plant.chiller_1.setpoint")

commands = st.builds(
    Command,
    st.just(POINT),
    st.floats(0, 1),
    st.sampled_from(list(Priority)),
    st.sampled_from(["strategy:one", "strategy:two", "operator:three"]),
    st.floats(0, 100),
    st.just(NO_TEXT),
)
deeds = st.lists(
    st.one_of(
        commands,
        st.tuples(st.sampled_from(list(Priority)), st.sampled_from(["strategy:one", "operator:three"])),
        st.floats(0, 120),
    ),
    max_size=40,
)


@given(deeds)
def test_arbitration_agrees_with_a_dictionary_of_levels(done: list[Command | tuple[Priority, str] | float]) -> None:
    array, naive, now = PriorityArray(), dict[int, Command](), 0.0
    for deed in done:
        match deed:
            case Command():
                array = array.with_command(deed)
                naive[deed.priority] = deed
            case (priority, source):
                array = array.without(priority, source)
                if priority in naive and naive[priority].source == source:
                    del naive[priority]
            case passed:
                now = max(now, passed)
                array = array.at(now)
                naive = {level: command for level, command in naive.items() if command.ends > now}
        ordered = [naive[level] for level in sorted(naive)]
        assert array.winner == (ordered[0] if ordered else None)
        assert list(array.losers()) == ordered[1:]


@given(st.lists(commands, max_size=20))
def test_every_lease_ends(given_commands: list[Command]) -> None:
    array = PriorityArray()
    for command in given_commands:
        array = array.with_command(command)
    for _ in range(len(given_commands)):
        array = array.at(array.next_end)
    assert array == PriorityArray()
    assert array.winner is None


def test_protective_levels_are_those_of_people_and_equipment_in_danger() -> None:
    assert [level for level in Priority if level.is_protective] == [1, 2, 5]
