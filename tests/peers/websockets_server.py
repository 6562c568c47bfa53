"""The server of `websockets`: prints its port, then serves every connection by the scene that is named.

More arguments: the subprotocol that it takes or `none`, and whether it takes compression, `on` (the default) or `off`.
"""
import asyncio
import sys

from websockets.asyncio.server import serve

scene, subprotocol, compression = sys.argv[1:] if len(sys.argv) > 2 else (sys.argv[1], "none", "on")


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def texts(ws):
    """Text back, in fragments of a few characters; umlauts are cut nowhere but at characters."""
    async for message in ws:
        text = message.decode() if isinstance(message, bytes) else message
        await ws.send(text[i:i + 7] for i in range(0, len(text), 7))


async def leaves(ws):
    """A word, and a reason."""
    await ws.send("goodbye")
    await ws.close(4001, "enough")


async def tells(ws):
    """What was asked for."""
    request = ws.request
    offered = request.headers.get("Sec-WebSocket-Protocol")
    await ws.send(f"{request.path} {offered} {request.headers.get('Origin')}")
    await ws.close()


async def main():
    handler = {f.__name__: f for f in (echo, texts, leaves, tells)}[scene]
    # It pings often, and drops clients that don't answer.
    # And no subprotocol unless it is told, as most of its users have it: what text then means is for the
    # receiver to say.
    options = {"ping_interval": 0.2, "ping_timeout": 5, "max_size": None}
    options["compression"] = "deflate" if compression == "on" else None
    if subprotocol != "none":
        options["subprotocols"] = [subprotocol]
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        print("port", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
