"""Autobahn's wrapping client: echoes a byte stream over WebSocket, then says its subprotocol.

Arguments: the port, the one subprotocol to offer, and `on` to offer compression too.
"""
import sys

from autobahn.twisted.websocket import WrappingWebSocketClientFactory
from twisted.internet import endpoints, reactor
from twisted.internet.protocol import Factory, Protocol

port, subprotocol, compression = int(sys.argv[1]), sys.argv[2], "on" in sys.argv[3:]


class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

    def connectionLost(self, reason):
        print("subprotocol", wrapped.chosen, flush=True)
        reactor.callLater(0, reactor.stop)


class Wrapped(WrappingWebSocketClientFactory):
    chosen = None

    def buildProtocol(self, addr):
        protocol = super().buildProtocol(addr)
        original = protocol.onConnect

        def on_connect(response):
            self.chosen = response.protocol
            return original(response)

        protocol.onConnect = on_connect
        return protocol


wrapped = Wrapped(Factory.forProtocol(Echo), f"ws://127.0.0.1:{port}", enableCompression=compression)
wrapped.setSessionParameters(url=f"ws://127.0.0.1:{port}", protocols=[subprotocol])
wrapped._subprotocols = [subprotocol]
endpoints.clientFromString(reactor, f"tcp:127.0.0.1:{port}").connect(wrapped)
reactor.run()
