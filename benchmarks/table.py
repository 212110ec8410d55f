"""Results as tables, each figure with its aim; and the place in README.md where they stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runs import Result

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: written by scripts/bench -->", "<!-- end of results -->"
_WORDS = {
    "load": "first load",
    "quiet": "cycle without a change",
    "changed": "1 % changed",
    "match": "two organizations, the same people",
}


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure must not exceed, or with ``least`` must reach."""

    name: str
    what: str
    found: float
    limit: float
    unit: str = ""
    least: bool = False

    @property
    def is_met(self) -> bool:
        return self.found >= self.limit if self.least else self.found <= self.limit


def tables(results: Sequence[Result]) -> str:
    """What it cost, stage by stage, and whether the aims are met."""
    return "\n\n".join(
        "\n".join(lines)
        for lines in (list(_costs(results)), list(_stages(results)), list(_verdicts(results)))
    )


def keep(head: str, told: str) -> None:
    """Put the tables between the markers of the README."""
    before, _, rest = README.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n\n{head}\n\n{told}\n\n{END}{after}")


def aims(results: Sequence[Result]) -> Iterator[Aim]:
    """The aims of these workloads; P numbers are those of the design's list of goals."""
    of = {(result.name, result.size): result for result in results}
    small, large = sorted({result.size for result in results})
    load, match = of["load", large], of["match", small]
    yield Aim("P1", f"load of {large:,}: CPU, of the floor's", load.ratio, 2.0, "x")
    rss = max(cost.rss for cost in load.ours)
    yield Aim("P4", f"load of {large:,}: most memory", rss, 200.0, "MiB")
    quiet = of["quiet", large].per_record / of["quiet", small].per_record
    yield Aim("P5", f"quiet cycle: {large:,} links beside {small:,}, CPU", quiet, 1.5, "x")
    calls = of["quiet", large].middle(lambda c: c.calls / c.records)
    yield Aim("P10", "quiet cycle: API calls, two sources", calls, 2.0)
    change = of["changed", large].per_record / of["changed", small].per_record
    yield Aim("P6", f"a change: {large:,} links beside {small:,}, CPU", change, 1.3, "x")
    changed = of["changed", large].ratio
    yield Aim("P6", f"a change at {large:,}: CPU, of the floor's", changed, 3.0, "x")
    least = large / 2000 * 1.1 + 3
    calls = load.middle(lambda c: c.calls)
    yield Aim("P10", f"load of {large:,}: API calls, pages of 2,000", calls, least)
    yield Aim("P11", "state of a link", load.middle(lambda c: c.state), 850.0, "B")
    speed = match.records / match.stage("matched")
    yield Aim("P12", "links matched in a CPU second", speed, 100_000.0, least=True)


def _costs(results: Sequence[Result]) -> Iterator[str]:
    yield (
        "| workload | links | CPU s, median (least) | floor CPU s | x floor | wall s | "
        "CPU each | statements / 1,000 | API calls / 1,000 | peak MiB | state B / link |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for one in results:
        least = min(cost.cpu for cost in one.ours)
        links = one.size * 2 if one.name == "match" else one.size
        each = one.per_record * 1e6
        state = one.middle(lambda c: c.state)
        cells = (
            _WORDS[one.name],
            f"{links:,}",
            f"{one.cpu(one.ours):.3f} ({least:.3f})",
            f"{one.cpu(one.floor):.3f}",
            f"{one.ratio:.1f}",
            f"{one.middle(lambda c: c.wall):.2f}",
            f"{each:,.0f} µs",
            f"{one.middle(lambda c: c.statements * 1000 / c.records):,.1f}",
            f"{one.middle(lambda c: c.calls * 1000 / c.records):,.1f}",
            f"{max(cost.rss for cost in one.ours):.0f}",
            f"{state:,.0f}" if state else "",
        )
        yield f"| {' | '.join(cells)} |"


def _stages(results: Sequence[Result]) -> Iterator[str]:
    yield "| CPU µs a link | read | matched | decided | pushed |"
    yield "|---|--:|--:|--:|--:|"
    for one in results:
        if one.name in ("load", "match"):
            stages = ("read", "matched", "decided", "pushed")
            shares = (f"{one.stage(stage) / one.records * 1e6:.0f}" for stage in stages)
            yield f"| {_WORDS[one.name]}, {one.records:,} | {' | '.join(shares)} |"


def _verdicts(results: Sequence[Result]) -> Iterator[str]:
    yield "| aim | what | figure | aim | met |"
    yield "|---|---|--:|--:|---|"
    for aim in aims(results):
        sign = "≥" if aim.least else "≤"
        figure, limit = (f"{n:,.4g}" if n < 1000 else f"{n:,.0f}" for n in (aim.found, aim.limit))
        met = "yes" if aim.is_met else "**no**"
        found = f"{figure} {aim.unit} | {sign} {limit} {aim.unit}"
        yield f"| {aim.name} | {aim.what} | {found} | {met} |"
