"""Whatever is asked of a chiller: its balance closes, it never runs without water, it rests before it starts again."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.chillers import read_chillers
from simulator.plant.chiller_control import SPARED, Mode
from simulator.plant.chiller_unit import ChillerUnit, UnitInputs, UnitState, step
from tests.sweep import examples

FEW = st.sampled_from([0.4, 1.0])
"""Shares, so few that two machines often get the same."""
UNITS = [ChillerUnit(chiller.model, SPARED) for chiller in read_chillers().values()]
STEP_S = 20.0

shares = st.sampled_from([0.0, 0.3, 0.5, 1.0, 1.2])
asked = st.tuples(
    st.booleans(),
    st.floats(1.0, 15.0),  # setpoint
    st.floats(3.0, 25.0),  # entering
    shares,
    st.floats(10.0, 45.0),  # condenser entering
    shares,
    st.sampled_from([0.3, 0.7, 2.0]),
    st.integers(1, 60),  # steps
)


@examples(60)
@given(unit=st.sampled_from(UNITS), script=st.lists(asked, min_size=1, max_size=12))
def test_a_chiller_keeps_its_laws(
    unit: ChillerUnit, script: list[tuple[bool, float, float, float, float, float, float, int]]
) -> None:
    machine, state, now = unit.machine, UnitState(), 0.0
    stopped = started = -1e9
    for enable, setpoint, entering, chilled, condenser_entering, condenser, limit, steps in script:
        inputs = UnitInputs(
            enable,
            setpoint,
            entering,
            chilled * machine.evaporator_flow,
            condenser_entering,
            condenser * machine.condenser_flow,
            limit,
        )
        for _ in range(steps):
            ran = state.control.mode is Mode.RUNNING
            state, now = step(unit, state, inputs, STEP_S), now + STEP_S
            runs = state.control.mode is Mode.RUNNING
            cooling, power, heat = state.operation
            assert abs(heat - cooling - power) <= 1e-3 * heat
            assert (cooling > 0.0) == (power > 0.0) == runs
            if runs:
                assert min(chilled, condenser) >= unit.proof_flow
                assert enable or now - started < SPARED.minimum_on_s + STEP_S
                assert (
                    power <= limit * machine.capacity / machine.cop * (1.0 + 1e-6) or cooling < 0.25 * machine.capacity
                )
            if runs and not ran:
                assert now - stopped >= SPARED.stop_to_start_s
                assert now - started >= SPARED.start_to_start_s
                started = now
            if ran and not runs:
                stopped = now


@examples(40)
@given(
    unit=st.sampled_from(UNITS),
    other=st.sampled_from(UNITS[:2]),
    script=st.lists(st.tuples(st.booleans(), st.booleans(), FEW, FEW, FEW, st.integers(1, 30)), min_size=1, max_size=6),
)
def test_a_chiller_beside_another_does_what_it_does_alone(
    unit: ChillerUnit, other: ChillerUnit, script: list[tuple[bool, bool, float, float, float, int]]
) -> None:
    """To the bit, whatever the other is and does."""
    machine, alone, together, neighbour = unit.machine, UnitState(), UnitState(), UnitState()
    for enable, enable_other, load, load_other, flow, steps in script:
        mine, its = [
            UnitInputs(enabled, 7.0, 7.0 + 6.0 * share, machine.evaporator_flow, 30.0, flow * machine.condenser_flow)
            for enabled, share in ((enable, load), (enable_other, load_other))
        ]
        for _ in range(steps):
            alone = step(unit, alone, mine, STEP_S)
            after = step(other, neighbour, its, STEP_S)
            together = step(unit, together, mine, STEP_S, (other, neighbour, its, after))
            neighbour = after
            assert together == alone
