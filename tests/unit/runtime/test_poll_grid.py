"""Which devices are asked when: on an absolute grid, without catching up, and no point twice."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.core.point import PointId
from controller.core.site import Device
from controller.runtime.poll_grid import PollGrid

PERIODS = st.sampled_from([0.25, 0.5, 1.0, 2.0, 15.0])


@st.composite
def devices(draw: st.DrawFn) -> list[Device]:
    found: list[Device] = []
    for number in range(draw(st.integers(1, 4))):
        points = tuple(PointId(f"device_{number}.point_{each}") for each in range(draw(st.integers(1, 3))))
        urgent_every = draw(st.none() | PERIODS)
        found.append(
            Device(
                f"device_{number}",
                points,
                timedelta(seconds=draw(PERIODS)),
                urgent=() if urgent_every is None else points[:1],
                urgent_every=None if urgent_every is None else timedelta(seconds=urgent_every),
            )
        )
    return found


@given(devices(), st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 7.0]), min_size=1, max_size=20))
def test_a_point_is_asked_once_when_its_time_has_come_and_never_before(found: list[Device], late: list[float]) -> None:
    grid = PollGrid(found, 0.0)
    asked: dict[str, float] = {}
    for delay in late:
        now = grid.next_due + delay
        due = grid.due(now)
        assert len(set(due.points)) == len(due.points) > 0
        for device in found:
            whole_every = device.poll_every.total_seconds()
            at = asked.get(device.id, -1.0)
            is_due = now // whole_every > at // whole_every
            assert (device in due.whole) == is_due
            if is_due:
                assert set(device.points) <= set(due.points)
                asked[device.id] = now
        assert grid.next_due > now


def test_urgent_points_are_asked_between_two_rounds_of_their_device() -> None:
    status, power = PointId("pump.status"), PointId("pump.power")
    often = timedelta(seconds=0.5)
    pump = Device("pump", (status, power), 2 * often, urgent=(status,), urgent_every=often)
    grid = PollGrid([pump], 10.0)
    assert grid.due(10.0).points == (status, power)
    assert grid.due(10.5) == ((status,), ())
    assert grid.due(11.0).whole == (pump,)
