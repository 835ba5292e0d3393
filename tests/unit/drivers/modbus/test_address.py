"""What a template may say of a Modbus value, and what it is told when it says something else."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from controller.core.units import Linear
from drivers.modbus.address import ModbusAddress, Table


def address(**said: Any) -> ModbusAddress:
    words: dict[str, Any] = {"unit": 1, "table": "holding", "register": 9, "type": "int16", **said}
    return ModbusAddress(**words)


def test_reads_a_template() -> None:
    adapter = TypeAdapter(ModbusAddress)
    said = {"unit": 3, "table": "input", "register": 8, "type": "float32", "word_order": "little"}
    assert adapter.validate_python(said) == ModbusAddress(3, "input", 8, "float32", word_order="little")


@pytest.mark.parametrize("said", [{"registers": 1}, {"type": "int8"}, {"table": "coils"}, {"register": "x"}])
def test_says_no_to_what_is_not_in_the_table_of_words(said: dict[str, Any]) -> None:
    adapter = TypeAdapter(ModbusAddress)
    good = {"unit": 1, "table": "holding", "register": 9, "type": "int16"}
    assert adapter.validate_python(good) == address()
    with pytest.raises(ValidationError):
        adapter.validate_python({**good, **said})


@pytest.mark.parametrize("word", ["unit", "table", "register"])
def test_place_must_be_said(word: str) -> None:
    good = {"unit": 1, "table": "holding", "register": 9, "type": "int16"}
    with pytest.raises(ValidationError):
        TypeAdapter(ModbusAddress).validate_python({key: value for key, value in good.items() if key != word})


@pytest.mark.parametrize(
    "said, wrong, right",
    [
        ({"unit": 248}, "unit 248 does not exist", "0 to 247"),
        ({"unit": -1}, "unit -1 does not exist", "0 to 247"),
        ({"register": -1}, "register -1 does not exist", "0 to 65535"),
        ({"register": 65536}, "register 65536 does not exist", "0 to 65535"),
        ({"register": 65535, "type": "float32"}, "2 registers at 65535 runs past", "earlier register"),
        ({"register": 65533, "type": "float64"}, "4 registers at 65533 runs past", "earlier register"),
        ({"type": "bool"}, "type bool of holding register needs a bit", "bit: 0 to 15"),
        ({"type": "bool", "bit": 16}, "bit 16 does not exist", "15"),
        ({"bit": 3}, "bit 3 does not go with type int16", "say type bool"),
        ({"table": "coil"}, "a coil is one bit and cannot hold int16", "leave the type out"),
        ({"table": "discrete", "type": "bool", "bit": 0}, "a discrete has no bits inside", "leave bit out"),
        ({"scale": 0.0}, "scale 0.0 makes every value the same", "other than 0"),
        ({"scale": math.nan}, "scale nan", "finite"),
        ({"type": "int16", "absent": 40000}, "absent 40000 is no int16", "-32768 to 32767"),
        ({"type": "float32", "absent": 0}, "absent does not go with type float32", "leave it out"),
        ({"offset": math.inf}, "offset inf is no number", "finite"),
        ({"gap": timedelta(seconds=11)}, "gap 11 s is out of range", "10s"),
        ({"gap": timedelta(seconds=-1)}, "gap -1 s is out of range", "10s"),
        ({"rate": 0.1}, "rate 0.1 questions a second is out of range", "0.5 or more"),
        ({"maximum_registers": 126}, "maximum_registers 126 is out of range", "1 to 125"),
        ({"table": "coil", "type": "bool", "scale": 0.1}, "a bool has neither scale", "numeric type"),
    ],
)
def test_says_what_is_wrong_and_what_would_be_right(said: dict[str, Any], wrong: str, right: str) -> None:
    with pytest.raises(ValueError, match=r".+; .+") as caught:
        address(**said)
    told_wrong, _, told_right = str(caught.value).partition("; ")
    assert wrong in told_wrong
    assert right in told_right


@pytest.mark.parametrize(
    "table, number, register",
    [
        ("holding", 40001, 0),
        ("holding", 40010, 9),
        ("holding", 49999, 9998),
        ("input", 30001, 0),
        ("input", 39999, 9998),
    ],
)
def test_reference_numbers_are_told_their_register(table: Table, number: int, register: int) -> None:
    with pytest.raises(ValueError, match=rf"reference number.*; registers count from zero: register {register} \("):
        address(table=table, register=number)
    assert address(table=table, register=number, zero_based=True).register == number


@pytest.mark.parametrize(
    "number, table, register",
    [(400001, "holding", 0), (465536, "holding", 65535), (300108, "input", 107), (100001, "discrete", 0)],
)
def test_long_reference_numbers_are_told_their_register(number: int, table: str, register: int) -> None:
    with pytest.raises(ValueError, match=rf"reference number.*: table {table}, register {register}$"):
        address(register=number)


@pytest.mark.parametrize("table, register", [("holding", 40000), ("holding", 50000), ("input", 40001), ("coil", 10001)])
def test_other_registers_are_no_reference_numbers(table: Table, register: int) -> None:
    type = "bool" if table == "coil" else "int16"
    assert address(table=table, register=register, type=type).register == register


def test_discrete_reference_numbers_are_refused_too() -> None:
    with pytest.raises(ValueError, match="register 4 "):
        address(table="discrete", register=10005, type="bool")


def test_unit_255_is_the_device_itself() -> None:
    assert address(unit=255).unit == 255
    with pytest.raises(ValueError, match="254"):
        address(unit=254)


@pytest.mark.parametrize("table, writable", [("coil", True), ("discrete", False), ("input", False), ("holding", True)])
def test_two_tables_can_be_written(table: Table, writable: bool) -> None:
    bit = None if table in {"coil", "discrete"} else 0
    assert address(table=table, type="bool", bit=bit).can_write is writable


def test_key_tells_places_apart() -> None:
    places = [
        address(),
        address(unit=2),
        address(table="input"),
        address(register=10),
        address(type="bool", bit=0),
        address(type="bool", bit=1),
    ]
    assert len({place.key for place in places}) == len(places)
    assert address().key == address(type="uint16", scale=0.1).key


def test_conversion_to_the_inside_unit() -> None:
    fahrenheit = address(scale=0.1, offset=-40.0).converted(Linear(5 / 9, -160 / 9))
    raw = 1400  # 100 degF
    assert raw * fahrenheit.scale + fahrenheit.offset == pytest.approx((100.0 - 32.0) / 1.8)
    flag = address(type="bool", bit=0)
    assert flag.converted(Linear(1.0, 0.0)) == flag
    with pytest.raises(ValueError, match="a bool has neither"):
        flag.converted(Linear(0.01, 0.0))
