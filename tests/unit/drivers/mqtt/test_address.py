"""What may be said of a topic and of a broker, and in which words the rest is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from drivers.mqtt.address import Availability, MqttAddress, MqttConnection, Presence, Tls

_PLACE: dict[str, Any] = {"state_topic": "a"}
_BROKER: dict[str, Any] = {"host": "broker"}


@pytest.mark.parametrize(
    "said, words",
    [
        ({"state_topic": ""}, "state_topic is empty; give the topic"),
        ({"state_topic": "a/#"}, "state_topic 'a/#' holds a wildcard; name one topic"),
        ({"state_topic": "a/+/b"}, "state_topic 'a/+/b' holds a wildcard; name one topic"),
        ({"state_topic": "a\0b"}, "state_topic is no topic; give printable text"),
        ({"state_topic": "{topic}/a"}, "state_topic '{topic}/a' needs the device's base topic; give topic"),
        ({"topic": "a+"}, "topic 'a+' holds a wildcard; name one topic"),
        ({"path": "a..b"}, "path 'a..b' is no place in a message; write keys"),
        ({"timestamp": "a["}, "timestamp 'a[' is no place in a message; write keys"),
        ({"scale": 0.0}, "scale 0.0 makes every value the same or none; give a finite number"),
        ({"offset": float("inf")}, "offset inf is no number; give a finite number"),
        ({"values": {"x": float("nan")}}, "'x' stands for nan, which is no value; give a number"),
        ({"command_topic": "c", "command_payload": "on"}, "command_payload 'on' sends no value; put {value}"),
        ({"command_topic": "c", "command_payload": '{"a": {value}'}, "command_payload .* is no JSON; mend it"),
        ({"command_topic": "c", "decimals": 12}, "decimals 12 is out of range; give 0 to 9"),
        ({"retain_command": True}, "commands need a command_topic; give one"),
        ({"request_payload": "x"}, "requests need a request_topic; give one"),
        (
            {"request_topic": "r", "request_every": timedelta(days=2)},
            "request_every 2 days, .* is out of range; give 0s",
        ),
        ({"reports": "on_change"}, "reports: on_change leans on availability; name its topic"),
    ],
)
def test_an_address_that_cannot_be(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("[", r"\[").replace("+", r"\+").replace("{", r"\{")):
        MqttAddress(**(_PLACE | said))


@pytest.mark.parametrize(
    "said, words",
    [
        ({"host": " x"}, "host ' x' is no host name; give"),
        ({"port": 0}, "port 0 does not exist; give"),
        ({"password": "x"}, "a password needs a user; give"),
        ({"timeout": timedelta(0)}, "timeout 0 s is out of range; give 0.05s to 60s"),
        ({"keepalive": timedelta(hours=1)}, "keepalive 3600 s is out of range; give 1s to 600s"),
        ({"session": timedelta(hours=1)}, "a session is kept by its client_id; give"),
    ],
)
def test_a_connection_that_cannot_be(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MqttConnection(**(_BROKER | said))


def test_certificates_come_in_pairs_from_absolute_paths() -> None:
    with pytest.raises(ValueError, match="a certificate goes with its key; give both"):
        Tls(certificate_file="/c.pem")
    with pytest.raises(ValueError, match=r"ca_file 'ca.pem' begins nowhere; give an absolute path"):
        Tls("ca.pem")


def test_being_there_and_being_gone_differ() -> None:
    with pytest.raises(ValueError, match="online and offline are both 'x'; give"):
        Availability("a", "x", "x")
    with pytest.raises(ValueError, match="topic is empty; give"):
        Presence("")


def test_the_port_follows_tls() -> None:
    assert MqttConnection("broker").address == ("broker", 1883)
    assert MqttConnection("broker", tls=Tls()).address == ("broker", 8883)


def test_a_password_is_not_shown() -> None:
    assert "hidden" not in repr(MqttConnection("broker", user="u", password="hidden"))


def test_a_command_and_a_reading_of_one_topic_are_two_places() -> None:
    reads = MqttAddress("{topic}", "lamp", "brightness")
    assert reads.key == MqttAddress("lamp", path="brightness").key
    assert reads.key != MqttAddress("{topic}", "lamp", "brightness", command_topic="{topic}/set").key
