"""Autobahn's server: says every message back, as it was.

Arguments: the subprotocol that it takes or `none`, whether it takes compression, `on` or `off`. Prints its port.
"""
import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet import reactor

subprotocol, compression = sys.argv[1:]


class Echo(WebSocketServerProtocol):
    def onConnect(self, request):
        return subprotocol if subprotocol in request.protocols else None

    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


def accept(offers):
    for offer in offers:
        if compression == "on" and isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)


factory = WebSocketServerFactory(protocols=[] if subprotocol == "none" else [subprotocol])
factory.protocol = Echo
factory.setProtocolOptions(perMessageCompressionAccept=accept, failByDrop=False)
listening = reactor.listenTCP(0, factory, 50, "127.0.0.1")
print("port", listening.getHost().port, flush=True)
reactor.run()
