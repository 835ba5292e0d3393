"""The server of a link."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from simulator.servers.link import BacnetLink, LinkServer, ModbusLink, OpcuaLink, SerialLink, ServedLink
from simulator.servers.served_site import ServedSite


async def spare_of(kind: str) -> Any:
    """What a server of such a link (the name of its class) can have before the link is known: the libraries of its
    protocol, which are loaded, and for OPC UA the nodes of the standard, which take longest."""
    match kind:
        case ModbusLink.__name__:
            import_module("simulator.servers.modbus")
        case SerialLink.__name__:
            import_module("simulator.servers.modbus_line")
        case BacnetLink.__name__:
            import_module("simulator.servers.bacnet")
        case OpcuaLink.__name__:
            from simulator.servers.opcua import standard_server

            return await standard_server()
        case _:
            import_module("simulator.servers.mqtt")
    return None


def server_of(site: ServedSite, link: ServedLink, spare: Any = None) -> LinkServer:
    """Libraries of protocols that nobody uses are not loaded. spare: of `spare_of`. Raises NotServable for what cannot
    be served."""
    match link:
        case ModbusLink():
            from simulator.servers.modbus import ModbusLinkServer

            return ModbusLinkServer(site, link)
        case SerialLink():
            from simulator.servers.modbus_line import ModbusLineServer

            return ModbusLineServer(site, link)
        case BacnetLink():
            from simulator.servers.bacnet import BacnetLinkServer

            return BacnetLinkServer(site, link)
        case OpcuaLink():
            from simulator.servers.opcua import OpcuaLinkServer

            return OpcuaLinkServer(site, link, spare)
        case _:
            from simulator.servers.mqtt import MqttLinkServer

            return MqttLinkServer(site, link)
