"""A mapping from its form in the configuration file. Pure."""

from collections.abc import Mapping as MappingOf
from typing import Any

from sync_engine.converters import PARTS
from sync_engine.mapping import FieldMap, Mapping

_KEYS = {"field", "parts", "member_of", "values", "ref", "direction", "style"}


def parse(
    name: str,
    tree: MappingOf[str, Any],
    catalogue: MappingOf[str, MappingOf[str, str]],
    region: str | None,
) -> Mapping:
    """A mapping from its form in YAML. Raises ValueError with what is wrong."""
    kind = tree["kind"]
    kind_by = None if isinstance(kind, str) else kind["by"]
    kinds = {"": kind} if isinstance(kind, str) else {k: v for k, v in kind.items() if k != "by"}
    unknown = set(kinds.values()) - set(catalogue)
    if unknown:
        raise ValueError(f"{name}: there is no kind {', '.join(sorted(unknown))}")
    forms = {n: f for one in catalogue.values() for n, f in one.items()}
    fields = tuple(_field(name, key, entry, forms) for key, entry in tree["fields"].items())
    return Mapping(
        object=name,
        kind_by=kind_by,
        kinds=kinds,
        fields=fields,
        required=tuple(tree.get("required", ())),
        on_create=dict(tree.get("on_create", {})),
        region=region,
        catalogue=catalogue,
    )


def _field(object_name: str, name: str, entry: Any, forms: MappingOf[str, str]) -> FieldMap:
    if name not in forms:
        known = ", ".join(sorted(forms))
        raise ValueError(f"{object_name}: there is no golden field {name}; there are {known}")
    options = {"field": entry} if isinstance(entry, str) else dict(entry)
    strange = set(options) - _KEYS
    if strange:
        raise ValueError(f"{object_name}.{name}: unknown key {', '.join(sorted(strange))}")
    parts = options.get("parts")
    if (parts is None) == (forms[name] == "address"):
        raise ValueError(f"{object_name}.{name}: parts belong to an address, and to nothing else")
    if parts is not None and set(parts) - set(PARTS):
        raise ValueError(f"{object_name}.{name}: an address has the parts {', '.join(PARTS)}")
    style = options.pop("style", None)
    if style is None and options.get("member_of") and forms[name] == "phone":
        style = "digits"  # sets of phones stand in Customer Profiles, without the plus sign
    return FieldMap(name=name, form=forms[name], style=style, **options)
