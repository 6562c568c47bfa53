"""The client of `websockets`: one conversation with what is at the port, named by the second argument.

Prints what a test wants to know, and fails by an exception.
"""
import asyncio
import base64
import random
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

port, scene = int(sys.argv[1]), sys.argv[2]
MIB = 1 << 20


def open_(**options):
    # It pings only where a scene needs it.
    options = {"ping_interval": None, "max_size": None, "compression": None, **options}
    return connect(f"ws://127.0.0.1:{port}/", proxy=None, **options)


def pattern(size):
    return bytes(i * i % 251 for i in range(1000)) * (size // 1000)


def letters(size):
    """From `a` to `p` at random, the same every time: half the size when it is compressed."""
    return bytes(random.Random(1).choices(range(97, 113), k=size))


async def gather(ws, size):
    """What comes, however it was cut into messages."""
    got = b""
    while len(got) < size:
        message = await ws.recv()
        got += message.encode() if isinstance(message, str) else message
    return got


async def echoes():
    """Every size at which a header changes, as binary and as text, and one that is sent in fragments."""
    async with open_() as ws:
        for size in (1, 125, 126, 65535, 65536, 3 * MIB):
            data = pattern(size + 1000)[:size]
            await ws.send(data)
            assert await gather(ws, size) == data, f"binary of {size}"
            text = "ä" * (size // 2) or "a"
            await ws.send(text)
            assert await gather(ws, len(text.encode())) == text.encode(), f"text of {size}"
        parts = [b"one ", b"", b"two ", pattern(70_000), b"end"]
        await ws.send(parts)
        whole = b"".join(parts)
        assert await gather(ws, len(whole)) == whole, "fragments"
    print("closed", ws.close_code)


async def pings():
    """Its own pings, answered while bytes go both ways."""
    async with open_(ping_interval=0.1, ping_timeout=5) as ws:
        for _ in range(10):
            await ws.send(pattern(MIB))
            await gather(ws, len(pattern(MIB)))
            await asyncio.sleep(0.05)
        pong = await ws.ping(b"payload")
        await asyncio.wait_for(pong, 10)
    print("closed", ws.close_code)


async def stalled():
    """Sends until the server reads no more, waits, and gets its answers after all."""
    async with open_() as ws:
        sent = 0

        async def flood():
            nonlocal sent
            while sent < 64:
                await ws.send(pattern(MIB))
                sent += 1

        flooding = asyncio.create_task(flood())
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.5)
        assert sent < 64, "everything was taken, although the server doesn't read"
        print("stalled", flush=True)
        await flooding
        # By the far side, after it has had everything.
        print("answer", (await gather(ws, 5)).decode(), flush=True)


async def closes():
    """Says why it leaves, as an application would."""
    async with open_() as ws:
        await ws.send(b"hello")
        await gather(ws, 5)
        await ws.close(4321, "because")
    print("closed", ws.close_code, repr(ws.close_reason))


async def is_closed():
    """Is told why the other side leaves."""
    async with open_() as ws:
        try:
            while True:
                message = await ws.recv()
                print("got", repr(message), flush=True)
        except ConnectionClosed:
            print("closed", ws.close_code, repr(ws.close_reason))


async def names():
    """Which of the names that it offers is taken."""
    for offered in sys.argv[3:]:
        async with open_(subprotocols=offered.split(",")) as ws:
            print("chosen", ws.subprotocol)


async def agrees():
    """One subprotocol or `none`, with compression `on` or `off`: what is agreed on, and echoes of every size."""
    name, compression = sys.argv[3:]
    options = {} if name == "none" else {"subprotocols": [name]}
    async with open_(compression="deflate" if compression == "on" else None, **options) as ws:
        print("subprotocol", ws.subprotocol or "none")
        print("extensions", ", ".join(e.name for e in ws.protocol.extensions) or "none")
        for size in (1, 125, 126, 65535, 65536, MIB):
            data = letters(size)
            if name == "base64":
                await ws.send(base64.b64encode(data).decode())
                got = b""
                while len(got) < size:
                    message = await ws.recv()
                    assert isinstance(message, str), "a binary message came"
                    got += base64.b64decode(message)
                assert got == data, f"base64 of {size}"
                continue
            await ws.send(data)
            assert await gather(ws, size) == data, f"binary of {size}"
            if name == "none":
                text = data.decode().replace("p", "ä")
                await ws.send(text)
                assert await gather(ws, len(text.encode())) == text.encode(), f"text of {size}"
    print("closed", ws.close_code)


scenes = (echoes, pings, stalled, closes, is_closed, names, agrees)
asyncio.run({f.__name__: f for f in scenes}[scene]())
