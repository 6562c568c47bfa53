"""A WebSocket client: sends a message to a URL, prints the first that comes back, and leaves.

An empty message isn't sent. More arguments are subprotocols; with `binary`, the message is binary.
"""
import os
import sys

from websockets.sync.client import connect

url, message, *subprotocols = sys.argv[1:]
with connect(url, proxy=None, subprotocols=subprotocols or None, open_timeout=15) as ws:
    if message:
        ws.send(message.encode() if "binary" in subprotocols else message)
    reply = ws.recv(15)
    print(reply if isinstance(reply, str) else reply.decode(), end="", flush=True)
    # Without the closing handshake, which a destination may take its time for.
    os._exit(0)
