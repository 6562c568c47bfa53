"""Says which peers are installed: the harness's own check that its venv is the pinned one."""

from importlib.metadata import version

for package in ("websockets", "autobahn", "twisted"):
    print(package, version(package))
