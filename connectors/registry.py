"""Finds connectors by entry point (group ``crm_sync.connectors``), anybody's on equal terms."""

from importlib.metadata import entry_points
from typing import Any

from connectors.errors import SetupError
from connectors.protocol import PROTOCOL

GROUP = "crm_sync.connectors"


def names() -> list[str]:
    """The connectors that are installed."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def load(name: str) -> Any:
    """The connector class of that name.

    Raises SetupError if it is not installed or was built for another protocol.
    """
    points = list(entry_points(group=GROUP, name=name))
    if not points:
        raise SetupError(
            f"no connector is called {name!r}", remedy=f"installed are: {', '.join(names())}"
        )
    if len({point.value for point in points}) > 1:
        raise SetupError(
            f"several packages bring a connector called {name!r}", remedy="uninstall all but one"
        )
    connector = points[0].load()
    built_for = getattr(connector, "PROTOCOL", PROTOCOL)
    if built_for != PROTOCOL:
        raise SetupError(
            f"connector {name!r} was built for protocol {built_for}, this is {PROTOCOL}",
            remedy="install a version of it that fits this crm-sync",
        )
    return connector
