"""Tables of chillers: what they say, what is refused, and that the machines of ours behave as machines do."""

from pathlib import Path

import pytest

from simulator.chillers import SHIPPED, read_chillers
from simulator.plant.chiller import CondenserSide, normalised, operate, reference_factors, scaled
from simulator.plant.chiller_traits import traits

OURS = read_chillers()


def test_curves_are_one_at_the_reference_point_and_what_was_published_is_kept() -> None:
    for chiller in OURS.values():
        assert reference_factors(chiller.model) == pytest.approx((1.0, 1.0, 1.0), abs=1e-12)
        assert reference_factors(chiller.published) == chiller.factors
        assert chiller.factors == pytest.approx((1.0, 1.0, 1.0), abs=0.025)
        assert chiller.source


@pytest.mark.parametrize(
    "name,with_load,with_condenser",
    [
        ("DOE-2 centrifugal", True, True),
        # Its part-load curve turns up again below a quarter of the load: that of another machine, says its source.
        ("Reference hospital centrifugal with vanes", False, True),
        ("Standard hospital screw", True, True),
        ("Standard office screw", True, True),
        # Falls at a tenth of its load above 30 degC of condenser water.
        ("Trane CVHE centrifugal with variable speed", True, False),
    ],
)
def test_where_a_machine_of_ours_rises_is_known(name: str, with_load: bool, with_condenser: bool) -> None:
    found = traits(OURS[name].model)
    assert (found.rises_with_load, found.rises_with_condenser, found.held_up) == (with_load, with_condenser, 0.0)


@pytest.mark.parametrize("name", OURS)
def test_capacity_and_cop_mean_what_they_say(name: str) -> None:
    model = OURS[name].model
    entering = model.condenser_reference
    if model.condenser_side is CondenserSide.LEAVING:
        entering -= model.capacity * (1.0 + 1.0 / model.cop) / (model.condenser_flow * 4.186)
    full = operate(model, model.capacity, 1.0, model.leaving_reference, entering)
    assert full.cooling == pytest.approx(model.capacity, rel=2e-3)
    assert full.cooling / full.power == pytest.approx(model.cop, rel=5e-3)


def test_variable_speed_pays_at_part_load_and_cool_condenser_water_and_vanes_do_not() -> None:
    def gain(name: str) -> float:
        model = scaled(OURS[name].model, 1000.0)
        full, half = operate(model, 900.0, 1.0, 7.0, 28.0), operate(model, 450.0, 1.0, 7.0, 20.0)
        return (half.cooling / half.power) / (full.cooling / full.power)

    variable = gain("Trane CVHE centrifugal with variable speed")
    assert variable > 1.4
    assert variable > 1.2 * gain("Reference hospital centrifugal with vanes")


def test_a_scaled_machine_is_the_same_but_for_its_size() -> None:
    model = OURS["Reference hospital centrifugal with vanes"].model
    small = scaled(model, model.capacity / 10.0)
    big, little = operate(model, 2000.0, 1.0, 7.0, 27.0), operate(small, 200.0, 1.0, 7.0, 27.0)
    assert little == pytest.approx(tuple(value / 10.0 for value in big), rel=1e-6)
    assert scaled(model, 500.0, 7.0).cop == 7.0


def test_a_record_that_is_off_at_its_reference_point_keeps_its_shape(tmp_path: Path) -> None:
    lines = SHIPPED.read_text().splitlines()
    assert ",0.257896,0.0389016," in lines[1]
    tilted = lines[1].replace(",0.222903,0.313387,0.46371", ",0.2674836,0.3760644,0.556452")
    path = tmp_path / "machines.csv"
    path.write_text("\n".join([lines[0], tilted, ""]))
    (chiller,) = read_chillers(path).values()
    assert chiller.factors.part_load == pytest.approx(1.2)
    assert chiller.model.part_load_curve == pytest.approx(OURS["DOE-2 centrifugal"].model.part_load_curve)
    assert normalised(chiller.model).part_load_curve == pytest.approx(chiller.model.part_load_curve)


@pytest.mark.parametrize(
    "old,new,line,wrong",
    [
        ("capFunT_1,", "", 1, "no column capFunT_1"),
        (",entering,", ",sideways,", 2, "t_con_kind is 'sideways'"),
        ("DOE-2 centrifugal,", ",", 2, "no name"),
        (",3500,5.5,", ",-3500,5.5,", 2, "capacity_kw is -3500"),
        (",3500,5.5,", ",3500,,", 2, "cop_ref is empty"),
        (",0.257896,", ",-0.9,", 2, "capFunT falls to -0.286 in its range"),
        (",0.933884,", ",-0.1,", 2, "EIRFunT falls to -"),
        (",0.222903,", ",-0.9,", 2, "at the reference point"),
        (",29.4,24,35,", ",39.4,24,35,", 2, "t_con_ref_c is 39.4"),
        (",29.4,24,35,", ",29.4,35,24,", 2, "t_con_ref_c is 29.4"),
        (",0.46371,,", ",0.46371,0.1,", 2, "more than three terms"),
        ("Reference hospital centrifugal with vanes,", "DOE-2 centrifugal,", 3, "a second 'DOE-2 centrifugal'"),
    ],
)
def test_what_cannot_be_a_machine_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, wrong: str
) -> None:
    text = SHIPPED.read_text()
    assert old in text
    path = tmp_path / "machines.csv"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=r"; expected ") as caught:
        read_chillers(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert wrong in str(caught.value)
