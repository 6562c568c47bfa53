"""An end of the Autobahn testsuite, of Python 2.7: on loopback alone, and a server on any free port.

Arguments: `client` or `server`, the file of the specification. Prints what it runs, a server its port too.
"""
import json
import sys

from autobahntestsuite import choosereactor  # Has to be the first that brings in Twisted.
from autobahntestsuite import case, fuzzing
from autobahntestsuite.caseset import CaseSet
from twisted.internet import reactor

listen = reactor.listenTCP


def listen_on_loopback(port, factory, backlog=50, interface=""):
    """The testsuite's own would listen on every address, at the port of its URL."""
    listening = listen(0, factory, 128, "127.0.0.1")
    # It compares this with the Host header.
    factory.externalPort = listening.getHost().port
    print("port %d" % factory.externalPort)
    sys.stdout.flush()
    return listening


reactor.listenTCP = listen_on_loopback
mode, specification = sys.argv[1], json.load(open(sys.argv[2]))
cases = CaseSet(case.CaseSetname, case.CaseBasename, case.Cases, case.CaseCategories, case.CaseSubCategories)
if not cases.parseSpecCases(specification):
    sys.exit("no case is called that")
{"client": fuzzing.startClient, "server": lambda spec: fuzzing.startServer(spec, 0)}[mode](specification)
reactor.run()
