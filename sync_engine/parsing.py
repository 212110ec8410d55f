"""A mapping from its form in the configuration file. Pure."""

from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from typing import Any

from sync_engine.converters import FORMS, PARTED
from sync_engine.fieldmap import Compute, FieldMap
from sync_engine.mapping import Mapping
from sync_engine.values import CROSS_IDS, UNSET

_KEYS = {
    "field", "parts", "member_of", "part_of", "constant", "values", "unknown", "default",
    "currency", "ref", "direction", "nulls", "style", "mask", "fallback",
    "repair", "read", "write", "lossy",
}  # fmt: skip


def _no_expressions(text: str) -> Compute:
    raise ValueError(f"nothing here compiles expressions: {text}")


def parse(
    name: str,
    tree: MappingOf[str, Any],
    catalogue: MappingOf[str, MappingOf[str, str]],
    region: str | None,
    compiled: Callable[[str], Compute] = _no_expressions,
    key: bytes = b"",
) -> Mapping:
    """A mapping from its form in YAML; ``key`` is the secret of masks. Raises ValueError."""
    kind = tree["kind"]
    kind_by = None if isinstance(kind, str) else kind["by"]
    kinds = {"": kind} if isinstance(kind, str) else {k: v for k, v in kind.items() if k != "by"}
    unknown = set(kinds.values()) - set(catalogue)
    if unknown:
        raise ValueError(f"{name}: there is no kind {', '.join(sorted(unknown))}")
    forms = {n: f for one in catalogue.values() for n, f in one.items()}
    fields = tuple(
        _field(name, field, entry, forms, region, compiled, key)
        for field, entry in tree["fields"].items()
    )
    return Mapping(
        object=name,
        kind_by=kind_by,
        kinds=kinds,
        fields=fields,
        required=tuple(tree.get("required", ())),
        on_create=dict(tree.get("on_create", {})),
        rules={
            native: compiled(entry["rule"])
            for native, entry in tree.get("on_create", {}).items()
            if isinstance(entry, MappingOf)
        },
        region=region,
        catalogue=catalogue,
    )


def _field(
    object_name: str,
    name: str,
    entry: Any,
    forms: MappingOf[str, str],
    region: str | None,
    compiled: Callable[[str], Compute],
    key: bytes,
) -> FieldMap:
    if name not in forms:
        known = ", ".join(sorted(forms))
        raise ValueError(f"{object_name}: there is no golden field {name}; there are {known}")
    options: dict[str, Any] = {"field": entry} if isinstance(entry, str) else dict(entry)
    strange = set(options) - _KEYS
    if strange:
        raise ValueError(f"{object_name}.{name}: unknown key {', '.join(sorted(strange))}")
    form = forms[name]
    _check_parts(f"{object_name}.{name}", form, options.get("parts"))
    for constant in {"constant", "default"} & set(options):
        options[constant] = FORMS[form].normal(options[constant], region)
        if options[constant] in (None, UNSET):
            raise ValueError(f"{object_name}.{name}: its {constant} is no value of form {form}")
    if "constant" in options or name in CROSS_IDS:
        options["direction"] = "from"
    style = options.pop("style", None)
    if style is None and options.get("member_of") and form == "phone":
        style = "digits"  # sets of phones stand in Customer Profiles, without the plus sign
    read, write = options.get("read"), options.get("write")
    return FieldMap(
        name=name,
        form=form,
        style=style,
        repair=tuple(options.pop("repair", ())),
        is_lossy=options.pop("lossy", False),
        reading=compiled(read) if read else None,
        writing=compiled(write) if write else None,
        key=key if options.get("mask") else b"",
        **options,
    )


def _check_parts(where: str, form: str, parts: MappingOf[str, str] | None) -> None:
    if (parts is None) == (form in PARTED):
        raise ValueError(f"{where}: parts belong to an address or to money, and to nothing else")
    if parts is not None and set(parts) - set(PARTED[form]):
        what = "an address" if form == "address" else form
        raise ValueError(f"{where}: {what} has the parts {', '.join(PARTED[form])}")
