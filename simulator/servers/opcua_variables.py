"""The simulated site's tags as OPC UA variables: typed, with status codes and times; and what is written to them.

Source: OPC UA Part 4, 5.11 (reading and writing) and 7.39 (status codes). Times are told at real speed only: in a
faster simulation the way of a message is minutes of plant time.
"""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asyncua import ua
from asyncua.server.address_space import AttributeService
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from drivers.opcua.address import OpcuaAddress
from simulator.faults.wire import Wire
from simulator.gateway import Value
from simulator.servers.raw import raw_of, value_of
from simulator.servers.served_site import NotServable, Place, ServedSite

if TYPE_CHECKING:
    from asyncua.server.server import Server

OpcuaPlace: TypeAlias = Place[OpcuaAddress]

FIRST: Final[Mapping[ua.VariantType, Any]] = {
    ua.VariantType.Boolean: False,
    ua.VariantType.Int64: 0,
    ua.VariantType.Double: 0.0,
}


class Variable:
    """One tag of the site as a node. wire: how its device answers."""

    def __init__(self, place: OpcuaPlace, site: ServedSite, wire: Callable[[], Wire]) -> None:
        """Raises NotServable for an address that the simulated server has not."""
        name = place.address.name
        if place.address.states or (not name.uri and name.space == 0):
            raise NotServable(f"{place.name}: the simulated server has no node {place.address.node} with such a value")
        self.place = place
        self._site = site
        self._wire = wire
        self.type = _type_of(place)
        self._told: tuple[Value | None, int] | None = None

    def data(self) -> ua.DataValue:
        """As it is now."""
        value, code = self._reading()
        if value is None:
            return ua.DataValue(StatusCode=status(code))
        raw = raw_of(value, self.place.address.scale, self.place.address.offset)
        spelt = float(raw) if self.type is ua.VariantType.Double else raw
        return ua.DataValue(ua.Variant(spelt, self.type), status(code), untyped(self._time()))

    def asked(self, node: ua.NodeId, attribute: AttributeIds) -> ua.DataValue:
        """As the library asks for it."""
        del node, attribute
        return self.data()

    def _reading(self) -> tuple[Value | None, int]:
        if self._wire().is_silent:
            return None, StatusCodes.BadNoCommunication
        value = self._site.read(self.place.name)
        return value, StatusCodes.BadSensorFailure if value is None else StatusCodes.Good

    def _time(self) -> Any:
        if self._site.speed != 1.0:
            return None
        return self._site.now + timedelta(seconds=self._wire().offset)

    def change(self) -> ua.DataValue | None:
        """What there is to tell since the last time; None for nothing new."""
        reading = self._reading()
        if reading == self._told:
            return None
        self._told = reading
        return self.data()

    def write(self, data: ua.DataValue) -> int:
        """A status code."""
        if not self.place.tag.writable:
            return StatusCodes.BadNotWritable
        if data.Value is None or data.Value.is_array or data.Value.VariantType is not self.type:
            return StatusCodes.BadTypeMismatch
        try:
            value = value_of(
                self.place.tag, untyped(data.Value.Value), self.place.address.scale, self.place.address.offset
            )
        except ValueError:
            return StatusCodes.BadOutOfRange
        self._site.write(self.place.name, value)
        return StatusCodes.Good


def _type_of(place: OpcuaPlace) -> ua.VariantType:
    if place.tag.kind is bool:
        return ua.VariantType.Boolean
    is_whole = place.tag.kind is int and place.address.scale == 1.0 and place.address.offset == 0.0
    return ua.VariantType.Int64 if is_whole else ua.VariantType.Double


class Attributes(AttributeService):
    """What is written to a variable of the site is for the site to take or to refuse."""

    def __init__(self, server: Server, variables: Mapping[ua.NodeId, Variable], site: ServedSite) -> None:
        super().__init__(server.iserver.aspace)
        self._variables = variables
        self._site = site

    def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        self._site.refresh()
        return super().read(params)

    async def write(self, params: ua.WriteParameters, user: Any = None) -> list[ua.StatusCode]:
        del user
        self._site.refresh()
        return [self._written(wish) for wish in params.NodesToWrite]

    def _written(self, wish: ua.WriteValue) -> ua.StatusCode:
        variable = self._variables.get(wish.NodeId)
        if variable is None or wish.AttributeId != AttributeIds.Value:
            return status(StatusCodes.BadNotWritable)
        data = wish.Value
        assert data is not None
        return status(variable.write(data))


def status(code: int) -> ua.StatusCode:
    return ua.StatusCode(untyped(code))


def untyped(value: object) -> Any:
    """The library's annotations want its own number types; its code takes Python's."""
    return value
