"""What is asked for together."""

from __future__ import annotations

from controller.core.point import Binding, Point, PointId, PointKind
from controller.core.units import Unit
from drivers.bacnet.address import BacnetAddress, ObjectId, Reference
from drivers.bacnet.names import QUALITY_PROPERTIES
from drivers.bacnet.plan import BacnetBinding, blocks, by_device, wanted

ONE, TWO = ObjectId(0, 1), ObjectId(1, 2)


def bound(name: str, object: str, device: str = "10.0.0.1", property: str = "present-value") -> BacnetBinding:
    point = Point(PointId(f"a.b.{name}"), PointKind.SENSOR, Unit.NONE)
    return Binding(point, device, BacnetAddress(object, device, property=property))


def test_a_present_value_comes_with_what_qualifies_it() -> None:
    asked = wanted([bound("p", "analog-input,1")])
    assert asked == (Reference(ONE, 85), *(Reference(ONE, each) for each in QUALITY_PROPERTIES))


def test_other_properties_come_alone() -> None:
    assert wanted([bound("p", "analog-output,2", property="high-limit")]) == (Reference(TWO, 45),)


def test_what_belongs_to_one_object_is_asked_for_together_and_once() -> None:
    bindings = [
        bound("p", "analog-input,1"),
        bound("q", "analog-output,2"),
        bound("r", "analog-input,1", property="high-limit"),
        bound("s", "analog-input,1"),
    ]
    asked = wanted(bindings)
    assert len(asked) == len(set(asked)) == 11
    assert [reference.object for reference in asked] == [ONE] * 6 + [TWO] * 5


def test_thirty_analog_objects_are_two_requests_of_bacnet_ip() -> None:
    asked = wanted([bound(f"p{n}", f"analog-input,{n}") for n in range(30)])
    assert [len(block) for block in blocks(asked, 1476)] == [125, 25]


def test_an_object_is_asked_for_as_a_whole_where_that_fits() -> None:
    asked = wanted([bound(f"p{n}", f"analog-input,{n}") for n in range(3)])
    assert [len(block) for block in blocks(asked, 1476, most=7)] == [5, 5, 5]
    assert [len(block) for block in blocks(asked, 1476, most=2)] == [2] * 7 + [1]
    assert [len(block) for block in blocks(asked, 50)] == [3, 2, 3, 2, 3, 2]


def test_devices_are_kept_apart() -> None:
    bindings = [bound("p", "analog-input,1"), bound("q", "analog-input,1", "10.0.0.2")]
    assert [*by_device(bindings)] == [("10.0.0.1", None), ("10.0.0.2", None)]
