"""The server of a link."""

from __future__ import annotations

from simulator.servers.link import BacnetLink, LinkServer, ModbusLink, OpcuaLink, SerialLink, ServedLink
from simulator.servers.served_site import ServedSite


def server_of(site: ServedSite, link: ServedLink) -> LinkServer:
    """Libraries of protocols that nobody uses are not loaded. Raises NotServable for what cannot be served."""
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

            return OpcuaLinkServer(site, link)
        case _:
            from simulator.servers.mqtt import MqttLinkServer

            return MqttLinkServer(site, link)
