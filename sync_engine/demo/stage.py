"""Plays the demo from setting up to the verdict, and tells what happens."""

import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from config import load
from connectors import Record
from sync_engine import operations, show
from sync_engine.demo.compare import Reading, Verdict, compare, read
from sync_engine.demo.day import DAY, live
from sync_engine.demo.people import CUSTOMERS, LEADS
from sync_engine.demo.systems import NAMES, Systems, configuration, running, seed
from sync_engine.demo.trying import try_lines
from sync_engine.engine import Run
from sync_engine.service import Service, build

FOLDER = Path("crm-sync-demo")
MARK = ".crm-sync-demo"  #: only a folder with this file in it is ever emptied
MOST_CYCLES = 8
#: shown side by side, before and after
SHOWN = ("Petra Novak", "Maja Knežević", "Clara Hofmann")


def play(*, serve: bool) -> int:
    """The whole demo; the exit code is 0 if everything ended as it must."""
    console = Console()
    folder = _fresh_folder(console)
    if folder is None:
        return 2
    with running(folder) as systems:
        path = folder / "crm-sync.yaml"
        path.write_text(configuration(systems))
        console.rule("[bold]crm-sync demo")
        for name in NAMES:
            console.print(f"  {name:9} {systems.addresses[name]}")
        service = build(load(path, {}))
        try:
            verdict = _play(console, systems, service)
        finally:
            service.close()
        if serve:
            _serve(console, systems, path)
    return 0 if verdict.is_right else 1


def _fresh_folder(console: Console) -> Path | None:
    if FOLDER.exists() and not (FOLDER / MARK).exists():
        console.print(f"{FOLDER} exists and was not made by a demo; remove it or run elsewhere")
        return None
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700)
    (FOLDER / MARK).touch()
    return FOLDER.resolve()


def _play(console: Console, systems: Systems, service: Service) -> Verdict:
    console.print("\nSeeding three systems that have lived apart for years ...")
    seed(systems)
    service.prepare()
    _show_down(console, service)
    before = read(service)
    first = _until_quiet(service, release=True)
    console.print(_sides(service, first))
    _show_calls(console, "First sync", systems, service)
    after_first = read(service)
    console.rule("[bold]A day passes")
    for deed in DAY:
        console.print(f"  {deed.system:9} {deed.says}")
    live(systems, _finder(after_first))
    runs = _until_quiet(service, release=False)
    console.print(_sides(service, runs))
    _show_conflicts(console, service, runs)
    _show_people(console, before, after := read(service))
    console.rule("[bold]Open questions")
    show.show_groups(operations.grouped(service))
    verdict = compare(service, after)
    quiet = _one_more(systems, service)
    _show_calls(console, "All in all", systems, service)
    _show_verdict(console, verdict, quiet)
    if quiet:
        return Verdict(
            verdict.compared, verdict.people, verdict.explained, (*verdict.differences, quiet)
        )
    return verdict


def _until_quiet(service: Service, *, release: bool) -> list[Run]:
    """Cycles until one writes nothing. The first sync stops before its first write."""
    runs = [service.sync()]
    if release:
        for name in operations.unreleased(service, None):
            service.release(name)
        runs.append(service.sync())
    for _ in range(MOST_CYCLES):
        runs.append(service.sync())
        if not operations.wrote(runs[-1]):
            return runs
    raise RuntimeError(f"still writing after {MOST_CYCLES} cycles")


def _sides(service: Service, runs: Sequence[Run]) -> Table:
    counts = sum((run.counts for run in runs), Counter[str]())
    return show.sides_table(operations.side_rows(service, counts))


def _one_more(systems: Systems, service: Service) -> str:
    """One more cycle; empty if no system counted a write, else what was written."""
    before = systems.counts()
    service.sync()
    after = systems.counts()
    loud = [name for name in NAMES if before[name]["writes"] != after[name]["writes"]]
    return f"one more cycle wrote to {', '.join(loud)}" if loud else ""


def _finder(reading: Reading) -> Any:
    columns = {
        "sales": ("FirstName", "LastName"),
        "service": ("firstname", "lastname"),
        "profiles": ("firstName", "lastName"),
    }

    def find(system: str, object_name: str, first: str, last: str) -> str:
        one, two = columns[system]
        for record in reading.records[system, object_name].values():
            if (record.values.get(one), record.values.get(two)) == (first, last):
                return record.id
        raise RuntimeError(f"{first} {last} is not in {system}")

    return find


def _show_down(console: Console, service: Service) -> None:
    for instance, why in service.world.down.items():
        console.print(f"[bold red]{instance} cannot be used:[/] {why}")


def _show_calls(console: Console, when: str, systems: Systems, service: Service) -> None:
    counts = systems.counts()
    spent = ", ".join(
        f"{name} {service.world.calls[name]} calls, {sum(counts[name]['writes'].values())} writes"
        for name in NAMES
    )
    console.print(f"{when}: {spent}")


def _show_conflicts(console: Console, service: Service, runs: Sequence[Run]) -> None:
    with service.store.reading() as connection:
        rows = service.store.entities.conflicts(connection, [run.id for run in runs])
    table = show.plain_table("Conflicts of the day", "field", "won", "by", "lost", "of", "rule")
    for row in rows:
        for side, claim in (row.lost or {}).items():
            table.add_row(row.field_name, str(row.new), row.by, str(claim["value"]), side, row.rule)
    console.print(table)


def _show_people(console: Console, before: Reading, after: Reading) -> None:
    people = {person.name: person for person in (*LEADS, *CUSTOMERS)}
    for name in SHOWN:
        person = people[name]
        table = show.plain_table(f"{name}: {person.story}", "system", "before", "after")
        for system in NAMES:
            table.add_row(system, *(_lines(reading, system, name) for reading in (before, after)))
        console.print(table)


def _lines(reading: Reading, system: str, name: str) -> str:
    person = next(p for p in (*LEADS, *CUSTOMERS) if p.name == name)
    found = []
    for (instance, object_name), records in reading.records.items():
        if instance == system and records:
            found += [_line(object_name, r) for r in reading.named(system, object_name, person)]
    return "\n".join(found) or "-"


def _line(object_name: str, record: Record) -> str:
    shown: Mapping[str, Any] = {
        key: value for key, value in record.values.items() if value and key.lower() in _TELLING
    }
    several = (value if isinstance(value, list) else [value] for value in shown.values())
    return "\n  ".join([object_name, *(str(one) for values in several for one in values)])


_TELLING = frozenset(
    {"type", "email", "emailaddress1", "emails", "phone", "telephone1", "mobilephone", "phones"}
)


def _show_verdict(console: Console, verdict: Verdict, quiet: str) -> None:
    console.rule("[bold]Verdict")
    console.print(
        f"{verdict.compared} pairs of values compared over HTTP, {verdict.explained} differ for a "
        f"stated reason; {verdict.people} people compared with what was written by hand."
    )
    for difference in verdict.differences:
        console.print(f"[red]{difference}[/]")
    console.print(f"[red]{quiet}[/]" if quiet else "One more cycle wrote nothing anywhere.")
    console.print(
        "[bold green]All three systems agree.[/]"
        if verdict.is_right and not quiet
        else "[bold red]Something differs that nothing explains.[/]"
    )


def _serve(console: Console, systems: Systems, path: Path) -> None:
    """Keep the systems up until standard input ends or Enter is pressed."""
    console.rule("[bold]The three systems stay up")
    console.print("Read and edit one lead in each of them, then let the edit travel:")
    for line in (*try_lines(systems, str(path.parent / "ca.pem")), _sync_line(path)):
        console.print(f"\n{line}", soft_wrap=True, highlight=False, markup=False)
    console.print("\nPress Enter to end.")
    sys.stdin.readline()


def _sync_line(path: Path) -> str:
    return f"{Path(sys.argv[0]).resolve()} sync --config {path}"
