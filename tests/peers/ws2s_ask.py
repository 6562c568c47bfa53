"""A page with ws2s.js: opens a socket to port 6379 of $site, sends `ping`, and prints what comes back."""
import base64
import json
import os
import sys

from websockets.sync.client import connect

url, *origin = sys.argv[1:]
with connect(url, proxy=None, origin=origin[0] if origin else None) as ws:
    ws.send(json.dumps({"command": "connect", "host": os.environ["site"], "port": 6379}))
    ws.send(json.dumps({"command": "send", "data": "ping"}))
    while (response := json.loads(ws.recv(15)))["code"] != -1:
        assert response["success"], response
    print(base64.b64decode(response["data"]).decode(), flush=True)
    os._exit(0)
