"""Field ids and layouts: how ``golden``, ``seen`` and ``base`` become arrays and back.

An array holds its layout's fields in ascending id; ``{}`` stands for an unset field,
which is not null. A side's layout also tells how each of its fields was read (its form), so
that a row read under another mapping is known by its layout. Ids are never reused.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from sync_engine.models import FieldName, Layout
from sync_engine.store.database import StateError
from sync_engine.values import OPT_OUT

UNSET_MARK: dict[str, Any] = {}
FORM_BYTES = 8  #: of one field's form
_FIELD: Any = FieldName.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
_LAYOUT: Any = Layout.__table__  # type: ignore[attr-defined]
_FIELDS, _LAYOUTS = select(_FIELD), select(_LAYOUT)


class Layouts:
    """The fields and layouts of one database, read once and added to."""

    def __init__(self) -> None:
        self.golden = 0  #: the layout of golden values: every field that is mapped now
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._layouts: dict[int, dict[str, bytes]] = {}  #: layout -> field -> its form
        self._known: dict[tuple[tuple[int, ...], bytes], int] = {}

    def load(self, connection: Connection) -> None:
        for row in connection.execute(_FIELDS):
            self._know_field(row.id, row.name)
        for row in connection.execute(_LAYOUTS):
            self._know_layout(row.id, tuple(row.fields), row.forms)

    def add(self, connection: Connection, sides: Iterable[Mapping[str, bytes]]) -> None:
        """Make room for what these sides show (field -> its form), and for golden values of it."""
        sides = list(sides)
        names = sorted({name for side in sides for name in side})
        self._add_fields(connection, [*names, OPT_OUT])  # links are marked under that name
        self.golden = self._add_layout(connection, dict.fromkeys(names, b""))
        for side in sides:
            self._add_layout(connection, side)

    def of(self, side: Mapping[str, bytes]) -> int:
        """The layout of what a side shows; ``add`` has made it."""
        return self._known[self._key(side)]

    def changed(self, then: int, now: int) -> list[str]:
        """The fields that only one of two layouts holds, or that they read differently."""
        old, new = self._layouts[then], self._layouts[now]
        return sorted(name for name in old | new if old.get(name) != new.get(name))

    def field_id(self, name: str) -> int:
        return self._ids[name]

    def field_name(self, number: int) -> str:
        return self._names[number]

    def maybe_id(self, name: str | None) -> int | None:
        return None if name is None else self._ids[name]

    def maybe_name(self, number: int | None) -> str | None:
        return None if number is None else self._names[number]

    def encode(self, layout: int, values: Mapping[str, Any]) -> list[Any]:
        """The array of these values; what the layout has no place for is left out."""
        return [values.get(name, UNSET_MARK) for name in self._layouts[layout]]

    def decode(self, layout: int | None, array: Sequence[Any] | None) -> dict[str, Any]:
        if layout is None or not array:
            return {}
        if layout not in self._layouts:
            raise StateError(
                "the state is written to under another configuration",
                remedy="reload the service's configuration; the next run goes on",
            )
        found = dict(zip(self._layouts[layout], array, strict=True))
        if UNSET_MARK in array:
            return {name: value for name, value in found.items() if value != UNSET_MARK}
        return found

    def by_id(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values for a JSON object keyed by field id."""
        return {str(self._ids[name]): value for name, value in values.items()}

    def by_name(self, values: Mapping[str, Any] | None) -> dict[str, Any]:
        return {self._names[int(number)]: value for number, value in (values or {}).items()}

    def _add_fields(self, connection: Connection, names: Iterable[str]) -> None:
        fresh = [name for name in dict.fromkeys(names) if name not in self._ids]
        following = max(self._names, default=0) + 1
        numbered = list(enumerate(fresh, start=following))
        if numbered:
            connection.execute(insert(_FIELD), [{"id": n, "name": name} for n, name in numbered])
        for number, name in numbered:
            self._know_field(number, name)

    def _add_layout(self, connection: Connection, side: Mapping[str, bytes]) -> int:
        fields, forms = key = self._key(side)
        if key not in self._known:
            number = max(self._layouts, default=0) + 1
            row = {"id": number, "fields": list(fields), "forms": forms}
            connection.execute(insert(_LAYOUT), row)
            self._know_layout(number, fields, forms)
        return self._known[key]

    def _key(self, side: Mapping[str, bytes]) -> tuple[tuple[int, ...], bytes]:
        fields = sorted((self._ids[name], form) for name, form in side.items())
        return tuple(number for number, _ in fields), b"".join(form for _, form in fields)

    def _know_field(self, number: int, name: str) -> None:
        self._ids[name] = number
        self._names[number] = name

    def _know_layout(self, number: int, fields: tuple[int, ...], forms: bytes) -> None:
        self._layouts[number] = {
            self._names[field]: forms[n * FORM_BYTES : (n + 1) * FORM_BYTES]
            for n, field in enumerate(fields)
        }
        self._known[fields, forms] = number
