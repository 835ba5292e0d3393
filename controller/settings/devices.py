"""devices.yaml, its templates and its point lists as links, devices, points and bindings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.ports import DriverKind, StartsWith
from controller.core.site import Device, Link, SimulationClock
from controller.core.units import Linear, Unit
from controller.settings.conversion import IDENTITY
from controller.settings.document import Document, Tree, Where
from controller.settings.limits import of_machine
from controller.settings.point_list import PointList, read_point_list
from controller.settings.problems import Problems, nearest, shown
from controller.settings.reading import Reading, note
from controller.settings.registry import look_up
from controller.settings.schema.devices import (
    NOT_THERE,
    DeviceEntry,
    DeviceHead,
    DevicesFile,
    LinkHead,
    ListedDeviceEntry,
)
from controller.settings.schema.words import EQUIPMENT_ID
from controller.settings.secrets import Secrets
from controller.settings.templates import Template, TemplatePoint, listed_template, read_template
from controller.settings.text_file import look_at
from controller.settings.validate import Fault, checker, own_words
from controller.settings.writables import advice, is_value_of, plain

SIMULATION_AREA = "simulation"
"""First part of the point ids by which simulated devices prove themselves; no equipment may have it."""

_ANY = Linear(2.0, 1.0)


@dataclass
class Plant:
    """What the site has. broken: equipment and points that are named somewhere but defective, and told already.

    whole: everything that devices.yaml names is here or broken, so that a name beyond is unknown.
    """

    whole: bool = True
    equipment: dict[str, str] = field(default_factory=dict[str, str])
    points: dict[PointId, Point] = field(default_factory=dict[PointId, Point])
    broken: set[str] = field(default_factory=set[str])
    links: list[Link] = field(default_factory=list[Link])
    templates: dict[str, Template] = field(default_factory=dict[str, Template])
    listed: dict[str, Template] = field(default_factory=dict[str, Template])
    """By device, those whose points stand in a list."""
    _of_equipment: dict[str, list[PointId]] = field(default_factory=dict[str, "list[PointId]"])

    def is_excused(self, name: str) -> bool:
        """Whether nothing can be said of an equipment or point that is not here."""
        return not self.whole or name in self.broken or name.rpartition(".")[0] in self.broken

    def points_of(self, equipment: str) -> list[PointId]:
        return self._of_equipment.get(equipment, [])

    def add(self, point: Point) -> None:
        if point.id not in self.points:
            self._of_equipment.setdefault(point.equipment, []).append(point.id)
        self.points[point.id] = point


class _Spot(NamedTuple):
    """A place in one of the site's files."""

    document: Document
    where: Where

    @property
    def line(self) -> int:
        return self.document.line(self.where)

    def seen_from(self, document: Document) -> str:
        """Its line; the file too, where it is another one."""
        return f"line {self.line}" if document.file == self.document.file else f"{self.document.file.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class _Context:
    """A device while it is compiled. where: its place in devices.yaml. driver: None if it is not known.

    equipment: what the template calls it -> what this site calls it. is_listed: its points stand in a point list.
    """

    link: str
    driver: DriverKind | None
    template: Template
    entry: DeviceHead
    equipment: Mapping[str, str]
    where: Where
    is_listed: bool


@dataclass
class PlantCompiler:
    """folder: of the site, where point lists are."""

    reading: Reading[DevicesFile]
    folder: Path
    template_folder: Path
    driver_kind: Callable[[str], DriverKind]
    secrets: Secrets
    problems: Problems
    plant: Plant = field(default_factory=Plant)
    _templates: dict[str, Template | None] = field(default_factory=dict[str, "Template | None"])
    _lists: dict[str, PointList | None] = field(default_factory=dict[str, "PointList | None"])
    _named: dict[str, _Spot] = field(default_factory=dict[str, _Spot])
    # An address may be known by its identity: it is kept with whoever has it, so that its identity is not used again.
    _addresses: dict[tuple[object, ...], tuple[str, str, Any]] = field(
        default_factory=dict["tuple[object, ...]", "tuple[str, str, Any]"]
    )

    def compiled(self) -> Plant:
        for where in self.reading.items(("links",)):
            self._link(where)
        self.plant.templates = {name: each for name, each in self._templates.items() if each is not None}
        if self.plant.whole:  # otherwise the device that is meant may be among what cannot be read
            for name, found in self._lists.items():
                if found is not None:
                    found.refuse_others(self._devices_of(name))
        return self.plant

    # --- links

    def _link(self, where: Where) -> None:
        head = self.reading.piece(where, LinkHead)
        driver, connection = None, None
        if head is not None:
            self._once("link", head.id, (*where, "id"))
            driver = look_up(self.driver_kind, head.driver, "drivers", partial(self._add, (*where, "driver")))
        if driver is not None:
            connection = self._connection(driver, (*where, "connection"))
        link = str(where[-1]) if head is None else head.id
        devices: list[Device] = []
        bindings: list[Binding[Any]] = []
        for place in self.reading.items((*where, "devices")):
            context = self._context(link, driver, place)
            if context is not None:
                devices.append(self._device(context, bindings))
        if driver is not None:
            self.plant.links.append(Link(link, driver, connection, tuple(devices), tuple(bindings)))

    def _connection(self, driver: DriverKind, where: Where) -> Any:
        document = self.reading.document
        resolved = self.secrets.resolved(document, where)
        if resolved is None:
            return None
        tree, secrets = resolved
        found, faults = checker(driver.connection).check(tree)
        faults = [_discreet(fault, secrets, document.get((*where, *fault.where))) for fault in faults]
        note(self.problems, document, where, faults)
        return found

    # --- devices

    def _context(self, link: str, driver: DriverKind | None, where: Where) -> _Context | None:
        if self.reading.document.has((*where, "points")):
            return self._listed(link, driver, where)
        entry = self.reading.piece(where, DeviceEntry)
        if entry is None:
            self._excuse(where)
            return None
        self._once("device", entry.id, (*where, "id"))
        template = self._template(entry.template, where)
        if template is None:
            self.plant.broken.update(entry.equipment.values())
            return None
        kind = template.driver or driver
        if template.driver is not None and driver is not None and template.driver.name != driver.name:
            wrong = f"the template '{entry.template}' is for {template.driver.name}, the link speaks {driver.name}"
            self._add((*where, "template"), wrong, f"put the device on a link with driver: {template.driver.name}")
            kind = None  # addresses would fit neither
        return _Context(link, kind, template, entry, entry.equipment, where, is_listed=False)

    def _listed(self, link: str, driver: DriverKind | None, where: Where) -> _Context | None:
        """A device whose points are rows of a list."""
        entry = self.reading.piece(where, ListedDeviceEntry)
        found = None if entry is None else self._list(entry.points, driver)
        if entry is None or found is None:
            self.plant.whole = False
            return None
        self._once("device", entry.id, (*where, "id"))
        listed = found.of(entry.id, driver)
        self.plant.whole &= listed.whole and entry.id in found.rows
        if entry.id not in found.rows and found.columns is not None:
            wrong = f"no row of {entry.points} is of the device '{entry.id}'"
            self._add((*where, "points"), wrong, nearest(entry.id, found.rows, "devices"))
        template = listed_template(listed, driver, self.problems)
        self.plant.listed[entry.id] = template
        equipment = {each: each for each in template.declared}
        return _Context(link, driver, template, entry, equipment, where, is_listed=True)

    def _list(self, name: str, driver: DriverKind | None) -> PointList | None:
        if name not in self._lists:
            self._lists[name] = read_point_list(self.folder / name, driver, self.problems)
        return self._lists[name]

    def _devices_of(self, name: str) -> list[str]:
        """The devices whose points stand in this list."""
        return [device for device, listed in self.plant.listed.items() if listed.document.file == self.folder / name]

    def _excuse(self, where: Where) -> None:
        """A defective entry still tells which equipment is meant, unless that is what is wrong with it."""
        equipment = self.reading.document.get((*where, "equipment"))
        named = [str(each) for each in equipment.values()] if isinstance(equipment, dict) else []
        self.plant.broken.update(named)
        self.plant.whole &= bool(named) and all(EQUIPMENT_ID.fullmatch(each) for each in named)

    def _template(self, name: str, where: Where) -> Template | None:
        if name not in self._templates:
            if not (self.template_folder / f"{name}.yaml").exists():
                look_at(self.template_folder / f"{name}.yaml", self.problems)
                known = [path.relative_to(self.template_folder) for path in self.template_folder.glob("*/*.yaml")]
                names = [path.with_suffix("").as_posix() for path in known]
                self._add((*where, "template"), f"there is no template '{name}'", nearest(name, names, "templates"))
                return None
            self._templates[name] = read_template(self.template_folder, name, self.driver_kind, self.problems)
        return self._templates[name]

    def _device(self, context: _Context, bindings: list[Binding[Any]]) -> Device:
        entry, template = context.entry, context.template
        self._device_fields(context)
        ids = self._ids(context)
        own: list[PointId] = []
        for local, point in template.points.items():
            if local not in ids or not self._refers(context, point, ids):
                continue
            placed = self._limited(context, point, point.placed(ids))
            self.plant.add(placed)
            own.append(placed.id)
            address = self._point_address(context, point)
            if address is not None:
                bindings.append(Binding(placed, entry.id, address))
        self._refuse_unlimited(context, own)
        self._stale(context, own)
        urgent = self._urgent(context, own)
        simulation = self._simulation_clock(context, bindings)
        return Device(entry.id, tuple(own), entry.poll_every, simulation, urgent, entry.urgent_every)

    def _limited(self, context: _Context, said: TemplatePoint, point: Point) -> Point:
        """The point with the limits of this very machine."""
        entry = context.entry.limits.get(point.id)
        if entry is None or point.writable is None:
            return point
        place = (*context.where, "limits", point.id)
        return replace(point, writable=of_machine(point.writable, said.said, entry, place, self._add))

    def _refuse_unlimited(self, context: _Context, own: list[PointId]) -> None:
        written = [point for point in own if self.plant.points[point].writable is not None]
        for name in context.entry.limits:
            if name not in written and not self.plant.is_excused(name):
                wrong = f"this device has no '{name}' that is written"
                self._add((*context.where, "limits", name), wrong, nearest(name, written, "points"))

    def _urgent(self, context: _Context, own: list[PointId]) -> tuple[PointId, ...]:
        """The points that are polled at the device's second, faster pace, if it has one."""
        entry = context.entry
        if entry.urgent_every is None:
            return ()
        place = (*context.where, "urgent_every")
        urgent = tuple(point for point in own if self.plant.points[point].urgent)
        if not urgent:
            self._add(place, "no point of this device is urgent", "leave urgent_every out")
        elif entry.urgent_every >= entry.poll_every:
            wrong = f"urgent points are polled every {entry.poll_every.total_seconds():g} s as it is"
            self._add(place, wrong, "write a time shorter than poll_every, or leave urgent_every out")
        return urgent

    def _stale(self, context: _Context, own: list[PointId]) -> None:
        entry = context.entry
        too_slow = [point for point in own if self.plant.points[point].stale_after <= entry.poll_every]
        if too_slow:
            limit = min(self.plant.points[point].stale_after for point in too_slow).total_seconds()
            wrong = f"polled every {entry.poll_every.total_seconds():g} s, '{too_slow[0]}' would always be stale"
            self._add((*context.where, "poll_every"), wrong, f"poll more often than every {limit:g} s")

    # --- names

    def _ids(self, context: _Context) -> dict[str, PointId]:
        """Every local name of the template that this site has, with its point id."""
        template = context.template
        ids: dict[str, PointId] = {}
        for local in template.classes:
            if local not in context.equipment:
                right = f"add '{local}: area.equipment', or '{local}: {NOT_THERE}' if it is not there"
                self._add((*context.where, "equipment"), f"the template's equipment '{local}' is not named", right)
        for local, equipment in context.equipment.items():
            spot = self._spot(context, local)
            if local not in template.classes:
                if not context.is_listed:
                    wrong = f"the template has no equipment '{shown(local)}'"
                    self._add(spot.where, wrong, nearest(local, template.classes, "equipment"))
                self.plant.broken.add(equipment)
            elif equipment != NOT_THERE:
                self._claim_equipment(equipment, template.classes[local], spot)
                ids.update(self._claim_points(equipment, local, template, spot))
        return ids

    def _spot(self, context: _Context, local: str) -> _Spot:
        """Where the equipment is named."""
        if context.is_listed:
            return _Spot(context.template.document, ("equipment", local))
        return _Spot(self.reading.document, (*context.where, "equipment", local))

    def _claim_equipment(self, equipment: str, its_class: str, spot: _Spot) -> None:
        if equipment.startswith(f"{SIMULATION_AREA}."):
            self._tell(*spot, f"the area '{SIMULATION_AREA}' is Tidewatt's own", "give the area another name")
        known = self.plant.equipment.setdefault(equipment, its_class)
        first = self._named.setdefault(f"equipment {equipment}", spot)
        if not its_class:
            self.plant.broken.add(equipment)
        elif known and known != its_class:
            line = first.seen_from(spot.document)
            wrong = f"'{equipment}' is of class {its_class} here and of class {known} on {line}"
            self._tell(*spot, wrong, "give one of them another id")

    def _claim_points(self, equipment: str, local: str, template: Template, spot: _Spot) -> dict[str, PointId]:
        claimed: dict[str, PointId] = {}
        doubled: list[PointId] = []
        for name in template.declared.get(local, ()):
            point = PointId(f"{equipment}.{name.rpartition('.')[2]}")
            if self._named.setdefault(f"point {point}", spot) != spot:
                doubled.append(point)
            claimed[name] = point
            if name not in template.points:
                self.plant.broken.add(point)
        if doubled and self.plant.equipment[equipment] == template.classes[local]:
            line = self._named[f"point {doubled[0]}"].seen_from(spot.document)
            more = f" and {len(doubled) - 1} more" if len(doubled) > 1 else ""
            wrong = f"{line} brings '{doubled[0]}'{more} already"
            self._tell(*spot, wrong, "give one of the two equipments another id")
        return claimed

    def _refers(self, context: _Context, point: TemplatePoint, ids: Mapping[str, PointId]) -> bool:
        """Whether all that the point leans on is at this site too."""
        for name in point.references():
            if name not in ids:
                local, asking = name.rpartition(".")[0], point.local.rpartition(".")[0]
                wrong = f"'{local}' is not there, but '{asking}' leans on '{name}'"
                place = (*context.where, "equipment", local)
                self._add(place, wrong, f"name it, or write '{asking}: {NOT_THERE}' too")
                self.plant.broken.add(ids[point.local])
                return False
        return True

    # --- addresses

    def _point_address(self, context: _Context, point: TemplatePoint) -> Any:
        place = (*point.said.where, "address")
        address = self._address(context, point.local, place)
        if address is None:
            return None
        document = context.template.document
        self._check_carried(context, point)
        self._check_default(document, address, point)
        if point.writable is not None and not address.can_write:
            wrong = f"'{point.local}' is writable, but its address can only be read"
            self._tell(document, place, wrong, "name an address that can be written, or remove 'writable'")
        try:
            if point.said.quantity.unit is not Unit.NONE:
                address.converted(_ANY)  # a place that cannot hold a quantity with a unit says so
            return address if point.said.conversion == IDENTITY else address.converted(point.said.conversion)
        except ValueError as error:
            self._tell(document, place, *own_words(error, "another address or unit"))
            return None

    def _check_carried(self, context: _Context, point: TemplatePoint) -> None:
        driver = context.driver
        if point.said.quantity.type is ValueType.TEXT and driver is not None and not driver.carries_text:
            wrong = f"'{point.local}' is a text, and {driver.name} carries none"
            self._tell(context.template.document, point.said.where, wrong, "put it into a template with driver: memory")

    def _check_default(self, document: Document, address: object, point: TemplatePoint) -> None:
        """The value of a point that nobody writes is one that it may have."""
        if not hasattr(address, "default"):  # asking for the protocol at once takes fifty times as long
            return
        if not isinstance(address, StartsWith) or address.default is None:
            return
        if not is_value_of(address.default, point.said.quantity):
            wrong = f"'{point.local}' is never {plain(address.default)}"
            place = (*point.said.where, "address", "default")
            self._tell(document, place, wrong, f"write {advice(point.said.quantity)}")

    def _address(self, context: _Context, name: str, place: Where) -> Any:
        """What the template says of a point's address and what the device says for all of its points."""
        document, driver = context.template.document, context.driver
        tree = document.get(place)
        if driver is None or not isinstance(tree, dict):
            return None
        said = context.entry.address
        misplaced = [key for key in tree if key in driver.device_fields]
        for key in misplaced:
            self._tell(document, (*place, key), f"'{key}' is said once for the device", "move it to devices.yaml")
        merged = {**tree, **{key: said[key] for key in driver.device_fields if key in said}}
        found, faults = checker(driver.address).check(merged)
        for fault in faults:
            self._tell_address(context, fault, place)
        if found is None or misplaced:
            return None
        self._claim_address(context, found, name, place)
        return found

    def _device_fields(self, context: _Context) -> None:
        fields = () if context.driver is None else context.driver.device_fields
        for key in context.entry.address if context.driver is not None else ():
            if key not in fields:
                wrong = f"'{shown(key)}' is nothing that a device says once for all its points"
                self._add((*context.where, "address", key), wrong, nearest(key, fields, "keys"))

    def _tell_address(self, context: _Context, fault: Fault, place: Where) -> None:
        """A fault in what the device says is told once, at the device."""
        fields = () if context.driver is None else context.driver.device_fields
        if fault.missing in fields or (fault.where and fault.where[0] in fields):
            self._add((*context.where, "address", *fault.where), fault.wrong, fault.right)
        else:
            self._tell(context.template.document, (*place, *fault.where), fault.wrong, fault.right)

    def _claim_address(self, context: _Context, address: Any, name: str, place: Where) -> None:
        said = tuple(sorted(map(str, context.entry.address.items())))
        key = (context.link, said, *address.key)
        device, other, _ = self._addresses.setdefault(key, (context.entry.id, name, address))
        if device != context.entry.id:
            wrong = f"'{context.entry.id}' has addresses that '{device}' has on the same link"
            self._add((*context.where, "address"), wrong, "every device has an address of its own")
        elif other != name:
            wrong = f"'{name}' has the same address as '{other}'"
            self._tell(context.template.document, place, wrong, "every point has an address of its own")

    # --- simulated devices

    def _simulation_clock(self, context: _Context, bindings: list[Binding[Any]]) -> SimulationClock | None:
        head, device = context.template.head, context.entry.id
        if head is None or head.simulation_clock is None:
            return None
        ids = {name: PointId(f"{SIMULATION_AREA}.{device}.{name}") for name in ("nonce", "time", "speed")}
        for name, point in ids.items():
            address = self._address(context, f"simulation_clock.{name}", ("simulation_clock", name, "address"))
            kind = ValueType.NUMBER if name == "speed" else ValueType.INTEGER
            bindings.append(Binding(Point(point, PointKind.PARAMETER, Unit.NONE, kind), device, address))
        return SimulationClock(ids["nonce"], ids["time"], ids["speed"])

    # --- telling

    def _once(self, meaning: str, name: str, where: Where) -> None:
        spot = _Spot(self.reading.document, where)
        first = self._named.setdefault(f"{meaning} {name}", spot)
        if first != spot:
            self._add(where, f"the {meaning} '{name}' is there already, by line {first.line}", "give one another id")

    def _add(self, where: Where, wrong: str, right: str) -> None:
        self._tell(self.reading.document, where, wrong, right)

    def _tell(self, document: Document, where: Where, wrong: str, right: str) -> None:
        self.problems.add(document.file, document.line(where), wrong, right)


def _discreet(fault: Fault, secrets: frozenset[str], written: Tree) -> Fault:
    """The fault without the text of any secret."""
    if not secrets or fault.unknown or fault.missing:
        return fault
    told = f"{fault.wrong} {fault.right}"
    if isinstance(written, (bool, int, float, str)) and not any(shown(secret)[:8] in told for secret in secrets):
        return fault
    return Fault(fault.where, "a value taken from a secret does not fit", "check what the secret holds")
