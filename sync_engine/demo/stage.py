"""Plays the demo from setting up to the verdict, and tells what happens."""

import fcntl
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from config import load
from sync_engine import operations, show
from sync_engine.demo.compare import Verdict, compare, read
from sync_engine.demo.day import DAY, finder, live
from sync_engine.demo.systems import NAMES, Systems, configuration, running, seed
from sync_engine.demo.telling import (
    show_conflicts,
    show_deeds,
    show_people,
    show_records,
    show_verdict,
)
from sync_engine.demo.trying import try_lines
from sync_engine.engine import Run
from sync_engine.service import Service, build, stopping

FOLDER = Path("crm-sync-demo")
MARK = ".crm-sync-demo"  #: only a folder with this file in it is ever emptied
MOST_CYCLES = 8


def play(*, serve: bool) -> int:
    """The whole demo; the exit code is 0 if everything ended as it must."""
    console = Console()
    with _fresh_folder(console) as folder:
        if folder is None:
            return 2
        with running(folder) as systems:
            path = folder / "crm-sync.yaml"
            path.write_text(configuration(systems))
            console.rule("[bold]crm-sync demo")
            console.print(f"Three systems on this machine, configured in {path}:")
            for name, kind in zip(NAMES, _KINDS, strict=True):
                console.print(f"  {name:9} {kind:28} {systems.addresses[name]}")
            service = build(load(path, {}))
            try:
                verdict = _play(console, systems, service)
                if serve:
                    _serve(console, systems, service, path)
            finally:
                service.close()
    return 0 if verdict.is_right else 1


_KINDS = ("Salesforce (simulated)", "Dynamics 365 (simulated)", "Customer Profiles (embedded)")


@contextmanager
def _fresh_folder(console: Console) -> Iterator[Path | None]:
    """An empty folder that no other demo has; None, with the reason told, where there is none."""
    if FOLDER.exists() and not (FOLDER / MARK).exists():
        console.print(f"{FOLDER} exists and was not made by a demo; remove it or run elsewhere")
        yield None
        return
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with (FOLDER / MARK).open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print(f"a demo is running in {FOLDER.resolve()}; end it, or run elsewhere")
            yield None
            return
        for path in FOLDER.iterdir():
            if path.name != MARK:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield FOLDER.resolve()


def _play(console: Console, systems: Systems, service: Service) -> Verdict:
    console.print("\nSeeding people and companies that have lived apart for years ...")
    seed(systems)
    service.prepare()
    for instance, why in service.world.down.items():
        console.print(f"[bold red]{instance} cannot be used:[/] {why}")
    before = read(service)
    show_records(console, before)
    first = _first_sync(console, service)
    after_first = read(service)
    show_records(console, after_first)
    console.rule("[bold]A day passes")
    for deed in DAY:
        console.print(f"  {deed.system:9} {deed.says}")
    live(systems, finder(after_first))
    runs = _until_quiet(service)
    _show_sides(console, service, runs, "What the day's syncs did")
    after = read(service)
    show_deeds(console, service, after_first)
    show_conflicts(console, service, runs)
    show_people(console, before, after)
    console.rule("[bold]Open questions")
    show.show_groups(operations.grouped(service))
    verdict = compare(service, after)
    quiet = _one_more(systems, service)
    _show_calls(console, systems, service, first, runs)
    return show_verdict(console, service, verdict, quiet)


def _first_sync(console: Console, service: Service) -> list[Run]:
    """It stops before its first write; then it is let go."""
    console.rule("[bold]First sync: it stops before its first write")
    runs = [service.sync()]
    show.show_run(operations.of_run(service, runs[0], None))
    console.rule("[bold]Released")
    for name in operations.unreleased(service, None):
        console.print(f"  crm-sync release {name}")
        operations.release(service, name)
    runs += _until_quiet(service)
    _show_sides(console, service, runs, "What the first sync did")
    return runs


def _until_quiet(service: Service) -> list[Run]:
    """Cycles until one writes nothing."""
    runs: list[Run] = []
    for _ in range(MOST_CYCLES):
        runs.append(service.sync())
        if not operations.wrote(runs[-1]):
            return runs
    raise RuntimeError(f"still writing after {MOST_CYCLES} cycles")


def _one_more(systems: Systems, service: Service) -> str:
    """One more cycle; empty if no system counted a write, else what was written."""
    before = systems.counts()
    service.sync()
    after = systems.counts()
    loud = [name for name in NAMES if before[name]["writes"] != after[name]["writes"]]
    return f"one more cycle wrote to {', '.join(loud)}" if loud else ""


def _show_sides(console: Console, service: Service, runs: Sequence[Run], title: str) -> None:
    counts = sum((run.counts for run in runs), Counter[str]())
    show.show_sides(console, operations.side_rows(service, counts), title)


def _show_calls(
    console: Console,
    systems: Systems,
    service: Service,
    first: Sequence[Run],
    runs: Sequence[Run],
) -> None:
    table = show.plain_table("API calls", "system", "first sync", "the day", "records written")
    counts = systems.counts()
    for name in NAMES:
        spent = (str(sum(run.counts[f"calls {name}"] for run in some)) for some in (first, runs))
        table.add_row(name, *spent, str(sum(counts[name]["writes"].values())))
    console.print(table)


def _serve(console: Console, systems: Systems, service: Service, path: Path) -> None:
    """Keep the systems up until Enter is pressed, or, without a terminal, until a signal."""
    console.rule("[bold]The three systems stay up")
    console.print("Read and edit a lead in each of them, then let the edits travel:")
    for line in (*try_lines(systems, str(path.parent / "ca.pem")), _sync_line(path)):
        console.print(f"\n{line}", soft_wrap=True, highlight=False, markup=False)
    if sys.stdin.isatty():
        console.print("\nPress Enter to end.")
        sys.stdin.readline()
        return
    console.print("\nThey end with SIGTERM or SIGINT.")
    sys.stdout.flush()
    with stopping(service.clock):
        while service.clock.wait(3600.0):
            pass


def _sync_line(path: Path) -> str:
    return f"{Path(sys.argv[0]).resolve()} sync --config {path}"
