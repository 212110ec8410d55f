"""Field ids and layouts: how ``golden``, ``seen`` and ``base`` become arrays and back.

An array holds its layout's fields in ascending id; ``{}`` stands for an unset field,
which is not null. Ids are never reused.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from sync_engine.models import FieldName, Layout

UNSET_MARK: dict[str, Any] = {}
_FIELD: Any = FieldName.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
_LAYOUT: Any = Layout.__table__  # type: ignore[attr-defined]


class Layouts:
    """The fields and layouts of one database, read once and added to."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._layouts: dict[int, tuple[str, ...]] = {}
        self._by_fields: dict[tuple[int, ...], int] = {}
        self._chosen: dict[frozenset[str], int] = {}

    def load(self, connection: Connection) -> None:
        for row in connection.execute(select(_FIELD)):
            self._know_field(row.id, row.name)
        for row in connection.execute(select(_LAYOUT)):
            self._know_layout(row.id, row.fields)

    def add(self, connection: Connection, names: Iterable[str]) -> None:
        """Make sure that these fields, and the layout of all of them, exist."""
        wanted = sorted(set(names))
        fresh = [name for name in wanted if name not in self._ids]
        following = max(self._names, default=0) + 1
        numbered = list(enumerate(fresh, start=following))
        if numbered:
            connection.execute(insert(_FIELD), [{"id": n, "name": name} for n, name in numbered])
        for number, name in numbered:
            self._know_field(number, name)
        fields = tuple(sorted(self._ids[name] for name in wanted))
        if fields not in self._by_fields:
            fresh_id = max(self._layouts, default=0) + 1
            connection.execute(
                insert(_LAYOUT), {"id": fresh_id, "fields": list(fields), "forms": b""}
            )
            self._know_layout(fresh_id, fields)

    @property
    def names(self) -> list[str]:
        """Every field that was ever stored."""
        return sorted(self._ids)

    def field_id(self, name: str) -> int:
        return self._ids[name]

    def field_name(self, number: int) -> str:
        return self._names[number]

    def maybe_id(self, name: str | None) -> int | None:
        return None if name is None else self._ids[name]

    def maybe_name(self, number: int | None) -> str | None:
        return None if number is None else self._names[number]

    def layout_for(self, names: Collection[str]) -> int:
        """The smallest layout that can hold these fields; ``add`` has made one."""
        wanted = frozenset(names)
        if wanted not in self._chosen:
            able = [n for n, fields in self._layouts.items() if wanted <= set(fields)]
            self._chosen[wanted] = min(able, key=lambda n: (len(self._layouts[n]), n))
        return self._chosen[wanted]

    def encode(self, layout: int | None, values: Mapping[str, Any]) -> list[Any]:
        if layout is None:
            return []
        return [values.get(name, UNSET_MARK) for name in self._layouts[layout]]

    def decode(self, layout: int | None, array: Sequence[Any] | None) -> dict[str, Any]:
        if layout is None or not array:
            return {}
        names = self._layouts[layout]
        return {n: v for n, v in zip(names, array, strict=True) if v != UNSET_MARK}

    def by_id(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values for a JSON object keyed by field id."""
        return {str(self._ids[name]): value for name, value in values.items()}

    def by_name(self, values: Mapping[str, Any] | None) -> dict[str, Any]:
        return {self._names[int(number)]: value for number, value in (values or {}).items()}

    def _know_field(self, number: int, name: str) -> None:
        self._ids[name] = number
        self._names[number] = name

    def _know_layout(self, number: int, fields: Sequence[int]) -> None:
        self._layouts[number] = tuple(self._names[field] for field in fields)
        self._by_fields[tuple(fields)] = number
        self._chosen.clear()
