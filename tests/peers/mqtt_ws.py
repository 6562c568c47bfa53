"""Publishes a message to a broker behind a WebSocket with the given subprotocol, and gets it back by its subscription."""
import sys

from websockets.sync.client import connect

url, subprotocol = sys.argv[1:]
CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02me"
SUBSCRIBE = b"\x82\x06\x00\x01\x00\x01t\x00"
PUBLISH = b"\x30\x07\x00\x01tping"
EXPECTED = b"\x20\x02\x00\x00" + b"\x90\x03\x00\x01\x00" + PUBLISH
with connect(url, proxy=None, subprotocols=[subprotocol]) as ws:
    assert ws.subprotocol == subprotocol
    got = b""
    for packet in (CONNECT, SUBSCRIBE, PUBLISH):
        ws.send(packet)
    while len(got) < len(EXPECTED):
        got += ws.recv(15)
    assert got == EXPECTED, got
