"""``python -m connectors.simulators salesforce|dataverse [--port N] [--certificate FILE]``."""

import argparse
from importlib import import_module

from connectors.simulators.server import serve

NAMES = ("salesforce", "dataverse")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m connectors.simulators")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--certificate", help="PEM file with key and chain; without it http")
    given = parser.parse_args()
    app = import_module(f"connectors.simulators.{given.name}.app").create()
    serve(app, given.port, given.certificate)


main()
