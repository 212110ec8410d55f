"""What the demo shows: records, what became of each deed, conflicts, people, the verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from sqlalchemy.engine import Connection

from connectors import Record
from sync_engine import show
from sync_engine.demo.compare import Reading, Verdict
from sync_engine.demo.day import DAY, Deed, finder
from sync_engine.demo.people import CUSTOMERS, LEADS, Person
from sync_engine.demo.systems import NAMES
from sync_engine.engine import Run
from sync_engine.ids import time_of
from sync_engine.models import LinkState
from sync_engine.service import Service
from sync_engine.store import LinkRow

#: shown side by side, before and after: a conflict, a conversion, a number without a label
SHOWN = ("Petra Novak", "Maja Knežević", "Clara Hofmann")
_TELLING = frozenset(
    {
        "type",
        "email",
        "emailaddress1",
        "emails",
        "phone",
        "telephone1",
        "mobilephone",
        "phones",
        "title",
        "jobtitle",
        "customattributes.job_title",
    }
)


def show_records(console: Console, reading: Reading) -> None:
    """How many records each system holds, read over HTTP."""
    table = show.plain_table("Records in the systems", "system", "leads", "customers", "companies")
    for system in NAMES:
        objects = {name: rows for (one, name), rows in reading.records.items() if one == system}
        people = list(objects.get("person", {}).values())
        leads = [row for row in people if row.values.get("type") == "LEAD"]
        counts = [
            len(objects.get("Lead", {})) + len(objects.get("lead", {})) + len(leads),
            len(objects.get("Contact", {})) + len(objects.get("contact", {})),
            sum(len(objects.get(name, {})) for name in ("Account", "account", "company")),
        ]
        counts[1] += len(people) - len(leads)
        table.add_row(system, *(str(number) for number in counts))
    console.print(table)


def show_deeds(console: Console, service: Service, before: Reading) -> None:
    """What each deed of the day has become in every system."""
    find = finder(before)
    table = show.plain_table("What became of it", "who, and which field", *NAMES)
    with service.store.reading() as connection:
        for deed in {(deed.who, deed.tells): deed for deed in DAY}.values():
            number = find(deed.system, deed.object, *deed.who)
            golden, links = _links_of(service, connection, deed, number)
            shown = [_held(service, golden, links.get(name), deed.tells) for name in NAMES]
            table.add_row(f"{' '.join(deed.who)}: {deed.tells or deed.action}", *shown)
    console.print(table)


def _links_of(
    service: Service, connection: Connection, deed: Deed, number: str
) -> tuple[dict[str, Any], dict[str, LinkRow]]:
    """Golden of the one the deed was done to, and system -> the record there, a live one first."""
    source = next(
        one
        for one in service.world.sources
        if (one.instance, one.object) == (deed.system, deed.object)
    )
    (own,) = service.store.links.by_record(connection, source.id, [number]).values()
    entity = service.store.entities.by_id(connection, [own.entity_id or 0])[own.entity_id or 0]
    links = service.store.links.of_entities(connection, [entity.id])
    found: dict[str, LinkRow] = {}
    for link in sorted(links, key=lambda one: one.state is LinkState.LIVE):
        found[service.world.source(link.source_id).instance] = link
    return entity.golden, found


def _held(service: Service, golden: dict[str, Any], link: LinkRow | None, field: str) -> str:
    if link is None:
        return "-"
    kind = link.kind.name.lower()
    if not field or link.state is not LinkState.LIVE:
        return f"{kind}, {link.state.name.lower()}"
    mapping = service.world.source(link.source_id).mapping
    return show.told(mapping.complete(kind, link.seen or {}, link.base, golden, []).get(field))


def show_conflicts(console: Console, service: Service, runs: Sequence[Run]) -> None:
    """Both values, and who won."""
    with service.store.reading() as connection:
        rows = service.store.entities.conflicts(connection, [run.id for run in runs])
        people = service.store.entities.by_id(connection, {row.entity_id for row in rows})
    columns = ("whose", "field", "won", "by", "lost", "of", "rule", "at (UTC)")
    table = show.plain_table("Conflicts of the day", *columns)
    for row in rows:
        golden = people[row.entity_id].golden
        name = f"{golden.get('first_name')} {golden.get('last_name')}"
        for side, claim in (row.lost or {}).items():
            told = (show.told(row.new), row.by or "", show.told(claim["value"]), side)
            at = f"{time_of(row.id):%H:%M:%S}"
            table.add_row(name, row.field_name, *told, row.rule, at)
    console.print(table)


def show_people(console: Console, before: Reading, after: Reading) -> None:
    people = {person.name: person for person in (*LEADS, *CUSTOMERS)}
    for name in SHOWN:
        person = people[name]
        table = show.plain_table(f"{name}: {person.story}", "system", "before", "after")
        for system in NAMES:
            cells = (_lines(reading, system, person) for reading in (before, after))
            table.add_row(system, *cells)
        console.print(table)


def _lines(reading: Reading, system: str, person: Person) -> str:
    found = []
    for (instance, object_name), records in reading.records.items():
        if instance == system and records:
            named = reading.named(system, object_name, person)
            found += [_line(object_name, record) for record in named]
    return "\n".join(found) or "-"


def _line(object_name: str, record: Record) -> str:
    shown: Mapping[str, Any] = {
        key: value for key, value in record.values.items() if value and key.lower() in _TELLING
    }
    several = (value if isinstance(value, list) else [value] for value in shown.values())
    return "\n  ".join([object_name, *(str(one) for values in several for one in values)])


def show_verdict(console: Console, service: Service, verdict: Verdict, quiet: str) -> Verdict:
    """The last word; what one more cycle wrote counts as a difference."""
    console.rule("[bold]Verdict")
    console.print(
        f"Read back over HTTP and compared through the mapping: {verdict.compared} pairs of "
        f"values of {verdict.linked} people and companies that stand in several systems."
    )
    console.print(f"Compared with what was written by hand: {verdict.people} people.")
    for why in verdict.explained:
        console.print(f"  differs, and is asked about: {why}", highlight=False)
    differences = (*verdict.differences, quiet) if quiet else verdict.differences
    for difference in differences:
        console.print(f"[red]  {difference}[/]", highlight=False)
    if not quiet:
        console.print("One more cycle wrote nothing anywhere, as the systems themselves count.")
    console.print(
        "[bold green]Everybody who is linked is equal in all systems; what is not linked is "
        "named above.[/]"
        if not differences
        else "[bold red]Something differs that nothing explains.[/]"
    )
    return Verdict(verdict.compared, verdict.linked, verdict.people, verdict.explained, differences)
