"""What a site may say of an OPC UA server and its nodes, and what it is told when it says something else."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, Final

import pytest
from pydantic import TypeAdapter, ValidationError

from controller.core.units import Linear
from drivers.opcua.address import NodeName, OpcuaAddress, OpcuaConnection, parsed_node

URL = "opc.tcp://10.0.0.9:4840/plc"
PEM: Final = "-----BEGIN SOMETHING-----"
OWN: Final[dict[str, Any]] = {"certificate": PEM, "private_key": PEM}


@pytest.mark.parametrize(
    "text, name",
    [
        ("i=2258", NodeName(0, "", "i", "2258")),
        ("ns=2;s=Chiller1.SupplyTemp", NodeName(2, "", "s", "Chiller1.SupplyTemp")),
        ("ns=3;s=DB1;a=b", NodeName(3, "", "s", "DB1;a=b")),
        ('ns=3;s="DB_1"."Temp"', NodeName(3, "", "s", '"DB_1"."Temp"')),
        ("nsu=http://plc/x;i=7", NodeName(0, "http://plc/x", "i", "7")),
        (
            "ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a",
            NodeName(1, "", "g", "09087e75-8e5e-499b-954f-f2a9603db28a"),
        ),
        ("ns=1;b=M/RbKBsRVkePCePcx24oRA==", NodeName(1, "", "b", "M/RbKBsRVkePCePcx24oRA==")),
    ],
)
def test_node_ids_are_read(text: str, name: NodeName) -> None:
    assert parsed_node(text) == name
    assert OpcuaAddress(text).key == name


@pytest.mark.parametrize(
    "node, right",
    [
        ("Chiller1.SupplyTemp", "write it as ns=2;s="),
        ("ns=2;Chiller1", "write it as ns=2;s="),
        ("ns=2;s=", "write it as ns=2;s="),
        ("ns=-1;s=x", "write it as ns=2;s="),
        ("ns=65536;s=x", "give 0 to 65535"),
        ("ns=2;i=4294967296", "give 0 to 4294967295"),
        ("ns=2;i=x", "or s= for a text"),
        ("ns=2;g=x", "give a GUID such as"),
        ("ns=2;b=x", "give bytes in base64"),
        ("ns=2;s=" + "x" * 5000, "write it as ns=2;s="),
    ],
)
def test_what_is_no_node_id_is_told(node: str, right: str) -> None:
    with pytest.raises(ValueError, match="; ") as caught:
        OpcuaAddress(node)
    assert right in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_device_may_say_what_its_nodes_begin_with() -> None:
    assert OpcuaAddress("SupplyTemp", prefix="ns=2;s=Chiller1.").key == OpcuaAddress("ns=2;s=Chiller1.SupplyTemp").key
    with pytest.raises(ValueError, match="leave out the prefix"):
        OpcuaAddress("ns=2;s=SupplyTemp", prefix="ns=2;s=Chiller1.")


@pytest.mark.parametrize(
    "said, right",
    [
        ({"scale": 0.0}, "give a finite number other than 0"),
        ({"scale": math.nan}, "give a finite number other than 0"),
        ({"offset": math.inf}, "give a finite number"),
        ({"states": ("off", "on"), "scale": 2.0}, "leave them out"),
        ({"states": ("off", "off")}, "give each its own text"),
    ],
)
def test_scaling_and_states_are_checked(said: dict[str, Any], right: str) -> None:
    with pytest.raises(ValueError, match=right):
        OpcuaAddress("i=1", **said)


def test_units_are_converted_by_scale_and_offset() -> None:
    address = OpcuaAddress("i=1", scale=0.1, offset=2.0)
    assert address.converted(Linear(1.0, 0.0)) is address
    assert address.converted(Linear(0.5, 3.0)) == OpcuaAddress("i=1", scale=0.05, offset=4.0)


def test_reads_a_template() -> None:
    adapter = TypeAdapter(OpcuaAddress)
    assert adapter.validate_python({"node": "i=1", "states": ["off", "on"]}) == OpcuaAddress(
        "i=1", states=("off", "on")
    )
    for wrong in ({}, {"node": "i=1", "nodes": 1}, {"node": "i=1", "scale": "much"}):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


def connect(**said: Any) -> OpcuaConnection:
    words: dict[str, Any] = {"url": URL, **said}
    return OpcuaConnection(**words)


# --- the connection ---------------------------------------------------------------------------------------------------


def test_the_channel_is_encrypted_where_there_is_a_certificate() -> None:
    assert OpcuaConnection(URL).channel == "none"
    assert OpcuaConnection(URL, **OWN, server_certificate=PEM).channel == "sign_and_encrypt"
    assert OpcuaConnection(URL, **OWN, trusted="/etc/tidewatt/trusted", security="sign").channel == "sign"


@pytest.mark.parametrize(
    "said, right",
    [
        ({"url": "http://10.0.0.9"}, r"write it as opc\.tcp://"),
        ({"url": "opc.tcp://10.0.0.9"}, r"opc\.tcp://10\.0\.0\.9:4840"),
        ({"url": "opc.tcp://10.0.0.9:x"}, r"write it as opc\.tcp://"),
        ({"url": "opc.tcp://me:secret@10.0.0.9:4840"}, "give user and password by themselves"),
        ({"timeout": timedelta(0)}, "give at least 0.01s"),
        ({"publish_every": timedelta(hours=1)}, "at most 10s"),
        ({"certificate": PEM}, "give the private_key"),
        ({"private_key": PEM}, "give the certificate"),
        ({"certificate": "opcua.pem"}, "name its file by reference: !file opcua/certificate.pem"),
        ({"server_certificate": "plc.pem"}, "name its file by reference"),
        ({"security": "sign"}, "give certificate and private_key"),
        ({"security": "none", **OWN}, "or say sign_and_encrypt"),
        ({"trusted": "/x"}, "or say sign_and_encrypt"),
        (OWN, "give server_certificate, or a folder as trusted"),
        ({**OWN, "trusted": "trusted"}, "whole path from /"),
        ({"password": "x"}, "give the user too"),
        ({"user": "me", "password": "x"}, "plain_password: true"),
    ],
)
def test_a_connection_that_cannot_be_is_told(said: dict[str, Any], right: str) -> None:
    with pytest.raises(ValueError, match=right):
        connect(**said)


def test_a_password_is_shown_to_everybody_only_by_an_explicit_word() -> None:
    assert OpcuaConnection(URL, user="me", password="x", plain_password=True).password == "x"
    assert OpcuaConnection(URL, **OWN, trusted="/x", user="me", password="x").password == "x"


def test_secrets_are_not_shown() -> None:
    key = f"{PEM}k3y"
    shown = repr(OpcuaConnection(URL, certificate=PEM, private_key=key, trusted="/x", user="me", password="pa55"))
    assert "k3y" not in shown
    assert "pa55" not in shown
