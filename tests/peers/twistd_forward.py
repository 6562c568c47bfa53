"""Autobahn's endpointforward in the foreground, without writing files.

Arguments: the endpoint to listen on, the destination.
"""
import sys

from twisted.scripts.twistd import run

sys.argv = ["twistd", "--nodaemon", "--pidfile=", "endpointforward",
            "--endpoint", sys.argv[1], "--dest_endpoint", sys.argv[2]]
run()
