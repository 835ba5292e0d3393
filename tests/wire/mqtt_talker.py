"""A gateway that tells its state a few times a second, in a process of its own: -m tests.wire.mqtt_talker PORT"""

from __future__ import annotations

import json
import sys
import threading
from typing import Final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

EVERY_S: Final = 0.3
STATES: Final = {
    "floor/gateway": {"supply": {"temperature": 6.5}, "running": True},
    "tele/lamp/SENSOR": {"Time": "2026-07-06T12:00:00", "ENERGY": {"Power": 12.5}},
}


def main() -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.reconnect_delay_set(1, 1)
    client.connect_async("127.0.0.1", int(sys.argv[1]))
    client.loop_start()
    pause = threading.Event()
    while True:
        for topic, state in STATES.items():
            client.publish(topic, json.dumps(state))
        pause.wait(EVERY_S)


if __name__ == "__main__":
    main()
