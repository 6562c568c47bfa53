"""paho over WebSockets: subscribes, publishes to itself, and prints what comes back.

Arguments: the port, the subprotocol, the protocol's version as paho counts (3 is 3.1, 4 is 3.1.1, 5 is 5.0).
"""
import sys
import threading

import paho.mqtt.client as mqtt

port, subprotocol, version = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
BIG = bytes(i * 7 % 251 for i in range(300_000))
done = threading.Event()


def on_connect(client, userdata, flags, reason, properties):
    assert not reason.is_failure, reason
    client.subscribe("test/#", qos=1)


def on_subscribe(client, userdata, mid, reasons, properties):
    client.publish("test/small", b"hello", qos=1)
    client.publish("test/big", BIG, qos=2)


def on_message(client, userdata, message):
    if message.topic == "test/big":
        assert message.payload == BIG, f"{len(message.payload)} bytes came back changed"
        done.set()
    else:
        print("got", message.payload.decode(), flush=True)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport="websockets", protocol=version)
# paho offers `mqtt` unless it is told otherwise, in its own spelling of the header.
if subprotocol != "mqtt":
    client.ws_set_options(path="/mqtt", headers={"Sec-Websocket-Protocol": subprotocol})
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", port)
client.loop_start()
finished = done.wait(20)
client.disconnect()
client.loop_stop()
sys.exit(0 if finished else "nothing came back")
