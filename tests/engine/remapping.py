"""Changes of the configuration and of the organizations, in the words of the tests of mappings."""

from collections.abc import Mapping
from typing import Any

from config.catalogue import extended
from connectors import FieldType
from tests.engine.three import Three

KINDS = ("lead", "customer", "company")


def remap(
    three: Three, change: dict[str, Any], *names: str, own: Mapping[str, str] | None = None
) -> None:
    """Change the mapping of objects; ``own`` adds golden fields (name -> form) of every kind."""
    catalogue = extended((name, form, KINDS) for name, form in (own or {}).items())
    three.remap(change, *names, catalogue=catalogue)


def offer(three: Three, name: str, /, **fields: FieldType) -> None:
    three.offer(name, **fields)
