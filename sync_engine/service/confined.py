"""A connector whose own faults stay in its instance: a bug there is no error of the engine's.

While it waits for an answer others may work (``turns``). What a connector may raise is listed
in ``connectors/errors.py``. Anything else comes of an answer that nobody foresaw; it stops this
instance for the run, is told with the place in the code, and all others go on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from connectors import (
    Checked,
    Connector,
    ConnectorError,
    Cursor,
    ObjectType,
    Outcome,
    Owner,
    Page,
    Record,
    ResponseError,
    Selection,
    Write,
)
from sync_engine.logs import where
from sync_engine.service.turns import Turns


def confined(instance: str, connector: Connector, turns: Turns) -> Connector:
    return cast(Connector, _Confined(instance, connector, turns))


@dataclass(frozen=True, slots=True)
class _Confined:
    """Stands before one instance's connector."""

    instance: str
    inner: Connector
    turns: Turns

    def close(self) -> None:
        self.inner.close()

    def check(self, selections: Sequence[Selection]) -> Checked:
        with self._called():
            return self.inner.check(selections)

    def describe(self) -> Sequence[ObjectType]:
        with self._called():
            return self.inner.describe()

    def owners(self) -> Sequence[Owner]:
        with self._called():
            return self.inner.owners()

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        with self._called():
            pages = self.inner.changes(selection, since)
        while True:
            with self._called():
                page = next(pages, None)
            if page is None:
                return
            yield page

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        with self._called():
            return self.inner.fetch(selection, field, values)

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        with self._called():
            outcomes = self.inner.write(object, writes)
        if len(outcomes) != len(writes):
            told = f"{len(outcomes)} outcomes of {len(writes)} writes"
            raise ResponseError(f"the connector of {self.instance} gives {told}")
        return outcomes

    @contextmanager
    def _called(self) -> Iterator[None]:
        try:
            with self.turns.call(self.instance):
                yield
        except ConnectorError:
            raise
        except Exception as error:
            raise ResponseError(
                f"the connector of {self.instance} failed ({where(error)})",
                remedy="look whether the system answers as usual; if so, report this line",
            ) from error
