"""Autobahn's endpointforward in the foreground, without files of its own.

Arguments: the endpoint to listen on, the destination.
"""
import sys

from twisted.scripts.twistd import run

sys.argv = ["twistd", "--nodaemon", "--pidfile=", "endpointforward",
            "--endpoint", sys.argv[1], "--dest_endpoint", sys.argv[2]]
run()
