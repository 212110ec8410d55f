"""The keys under which links are found: those that match and those that only resemble.

A customer's employer stands in the record as a reference. Its name, which the rules use
(practice 2.1, 2.3), is read from the company's own link on the same instance.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from sync_engine import matching, resemblance
from sync_engine.engine.world import World
from sync_engine.identifiers import SHIPPED, NoKeys
from sync_engine.models import Kind, LinkState
from sync_engine.store import LinkRow

#: what has ended is found under no key
_ENDED = (LinkState.GONE, LinkState.MERGED, LinkState.CONVERTED, LinkState.REPLACED)


#: golden fields of which no key is made, nor anything that resembles one
UNKEYED = frozenset(
    {
        "salutation", "middle_name", "job_title", "language", "description", "lead_source",
        "lead_status", "industry", "employees", "email_opt_out", "phone_opt_out", "fax_opt_out",
        "bulk_email_opt_out", "owner",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Employers:
    """The names of the companies that customers refer to."""

    names: Mapping[tuple[int, str], str] = field(default_factory=dict)
    no: NoKeys = SHIPPED
    #: kind -> instances whose records may hold the ids of others
    crossing: Mapping[Kind, Collection[int]] = field(default_factory=dict)

    def described(self, link: LinkRow) -> dict[str, Any]:
        """What the link shows, with its employer by name and all members of its sets."""
        seen = dict(link.seen or {})
        sets = (value for value in seen.values() if isinstance(value, list))
        seen["further"] = [member for members in sets for member in members]
        if link.kind is Kind.CUSTOMER and seen.get("company"):
            seen["company_name"] = self.names.get((link.instance_id, seen["company"]))
        if any(one != link.instance_id for one in self.crossing.get(link.kind, ())):
            seen[matching.OWN_ID] = link.record_id
        return seen

    def keys(self, link: LinkRow) -> list[matching.Key]:
        return matching.keys(link.kind.name.lower(), self.described(link), self.no)

    def blocks(self, link: LinkRow) -> list[int]:
        return resemblance.blocks(link.kind.name.lower(), self.described(link), self.no)

    def rekey(self, link: LinkRow) -> None:
        """Give the link the digests that ``match_key`` shall hold of it."""
        if not link.seen or link.state in _ENDED:
            link.match_keys, link.alike = (), ()
            return
        kind, described = link.kind.name.lower(), self.described(link)
        alike = resemblance.blocks(kind, described, self.no)
        if link.kind is Kind.COMPANY:
            alike += matching.own_numbers(described)
        link.match_keys = tuple(key.digest for key in matching.keys(kind, described, self.no))
        link.alike = tuple(dict.fromkeys(alike))


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What the keys of links were and are; pairs of (digest, link id)."""

    gone: Collection[tuple[int, int]]
    come: Collection[tuple[int, int]]


def rekey(world: World, connection: Connection, links: Collection[LinkRow]) -> Rekeyed:
    """Work out the keys of these links anew, in their rows."""
    before = _pairs(links)
    named = employers(world, connection, links)
    for link in links:
        named.rekey(link)
    after = _pairs(links)
    return Rekeyed(before - after, after - before)


def keys_of(world: World, connection: Connection, entities: Collection[int]) -> set[int]:
    """The digests under which records of these entities are found."""
    links = world.store.links.of_entities(connection, entities)
    return {digest for link in links for digest in link.match_keys}


def _pairs(links: Iterable[LinkRow]) -> set[tuple[int, int]]:
    return {(digest, link.id) for link in links for digest in (*link.match_keys, *link.alike)}


def employers(world: World, connection: Connection, links: Collection[LinkRow]) -> Employers:
    """The employers of these links; no statement where there are none."""
    records: dict[int, set[str]] = {}
    for link in links:
        if link.kind is Kind.CUSTOMER and (link.seen or {}).get("company"):
            records.setdefault(link.instance_id, set()).add((link.seen or {})["company"])
    found = world.store.links.references(connection, Kind.COMPANY, records, ())
    return Employers(
        {
            (link.instance_id, link.record_id): link.seen["name"]
            for link in found
            if link.record_id and link.seen and link.seen.get("name")
        },
        world.no_keys,
        world.crossing,
    )
