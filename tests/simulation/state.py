"""What the engine's database holds at one moment, read whole for the oracles."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sync_engine.models import LinkState
from sync_engine.store import EntityRow, IssueRow, LinkRow, Store

#: situations in which two people must have differed
_SETTLED = ("prefer", "newest", "longest", "manual")


@dataclass(frozen=True, slots=True)
class State:
    links: dict[int, LinkRow]
    entities: dict[int, EntityRow]
    issues: list[IssueRow]
    history: str  #: every value that history holds, as text
    lost: str  #: every value that lost a conflict, as history tells it
    conflicts: list[tuple[str, str]]  #: settled by a rule: what won, what lost, as text
    #: (entity, field) in which a person has asked for a side's value, or an opt-out has won
    overruled: set[tuple[int, str]]
    rows: int  #: of history
    sent: int
    unanswered: int
    situations: Counter[str]  #: of the decision table -> how often

    def without(self, sources: Collection[int], poisoned: str | None) -> "State":
        """What is left if some sources are out of reach, and people with that record are stuck."""
        stuck = {k.entity_id for k in self.links.values() if k.record_id == poisoned} - {None}
        kept = {
            number: link
            for number, link in self.links.items()
            if link.source_id not in sources and link.entity_id not in stuck
        }
        whose = {n: e for n, e in self.entities.items() if n not in stuck}
        return replace(self, links=kept, entities=whose, unanswered=0)

    def live(self) -> dict[int, list[LinkRow]]:
        """Entity -> its live links."""
        found: dict[int, list[LinkRow]] = {}
        for link in self.links.values():
            if link.state is LinkState.LIVE and link.entity_id is not None:
                found.setdefault(link.entity_id, []).append(link)
        return found


def look(store: Store) -> State:
    with store.reading() as connection:

        def rows(statement: str) -> list[Any]:
            return list(connection.exec_driver_sql(statement))

        told = rows(
            "select old, new, lost, rule, what, entity_id, name"
            " from history left join field on field.id = field_id"
        )
        return State(
            links=store.links.by_id(connection, [r[0] for r in rows("select id from link")]),
            entities=store.entities.by_id(
                connection, [r[0] for r in rows("select id from entity")]
            ),
            issues=store.issues.all(connection),
            history="\n".join(str(value) for row in told for value in row[:3] if value),
            lost="\n".join(str(row[2]) for row in told if row[2]),
            conflicts=[(str(r[1]), str(r[2])) for r in told if r[3] in _SETTLED and r[2]],
            overruled={(r[5], r[6]) for r in told if r[3] in ("resync", "opt-out") and r[2]},
            rows=len(told),
            sent=rows("select count(*) from sent")[0][0],
            unanswered=rows("select count(*) from sent where result is null")[0][0],
            situations=Counter(row[3] for row in told if row[3] and row[4] in (2, 3)),
        )
