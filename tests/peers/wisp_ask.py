"""A client of Wisp 1: as many streams by TCP and by UDP to port 9000 of $site, all at once; prints what each echoes."""
import os
import struct
import sys

from websockets.sync.client import connect

CONNECT, DATA, CONTINUE = 1, 2, 3
with connect(sys.argv[1], proxy=None) as ws:
    streams = range(1, 2 * int(sys.argv[2]) + 1)
    for stream in streams:
        network = 2 - stream % 2
        ws.send(struct.pack("<BIBH", CONNECT, stream, network, 9000) + os.environb[b"site"])
        ws.send(struct.pack("<BI", DATA, stream) + b"ping")
    got = {}
    while len(got) < len(streams):
        message = ws.recv(15)
        kind, stream = struct.unpack("<BI", message[:5])
        assert kind in (DATA, CONTINUE), message
        if kind == DATA:
            got[stream] = message[5:].decode()
    print(*(got[stream] for stream in streams), flush=True)
    os._exit(0)
