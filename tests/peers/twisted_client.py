"""A Twisted protocol over `clientFromString`: says hello, prints what it gets and its end."""
import sys

from twisted.internet import endpoints, reactor
from twisted.internet.protocol import Factory, Protocol


class Hello(Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")

    def dataReceived(self, data):
        print("got", data.decode(), flush=True)

    def connectionLost(self, reason):
        print("lost", flush=True)
        reactor.callLater(0, reactor.stop)


endpoints.clientFromString(reactor, sys.argv[1]).connect(Factory.forProtocol(Hello))
reactor.run()
