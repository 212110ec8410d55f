"""The documentation names what there is, and only that."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from sync_engine.cli.common import Exit, app
from sync_engine.operations import shapes
from sync_engine.operations.meanings import MEANINGS
from sync_engine.operations.shapes import Shape

ROOT = Path(__file__).parents[1]


def commands(command: object, before: str = "") -> Iterator[tuple[str, str]]:
    """(name, help) of every command, groups walked through."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield before, getattr(command, "help", "") or ""
        return
    for name, one in inner.items():
        yield from commands(one, f"{before} {name}".strip())


COMMANDS = dict(commands(get_command(app)))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_readme_lists_each_command(name: str) -> None:
    assert isinstance(app, typer.Typer)
    table = (ROOT / "README.md").read_text().split("## Commands")[1].split("## How")[0]
    group, _, member = name.partition(" ")
    assert re.search(rf"`[^`]*\b{re.escape(group)}\b", table), name
    assert not member or re.search(rf"\b{re.escape(member)}\b", table), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_shows_an_example(name: str) -> None:
    assert f"crm-sync {name}" in COMMANDS[name]


def test_the_readme_names_no_command_that_is_not_there() -> None:
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"`crm-sync ([a-z-]+)", text))
    assert named <= {name.split(" ")[0] for name in COMMANDS}


def test_the_readme_names_each_exit_code() -> None:
    text = (ROOT / "README.md").read_text()
    codes = text.split("Exit codes:")[1].split("##")[0]
    for code in Exit:
        assert re.search(rf"\b{int(code)} \w", codes), code


def shapes_of() -> list[type[Shape]]:
    return [
        one
        for one in vars(shapes).values()
        if isinstance(one, type) and issubclass(one, Shape) and one is not Shape
    ]


@pytest.mark.parametrize("shape", shapes_of(), ids=lambda shape: shape.__name__)
def test_the_readme_documents_each_shape(shape: type[Shape]) -> None:
    text = (ROOT / "sync_engine" / "operations" / "README.md").read_text()
    (line,) = [one for one in text.splitlines() if one.startswith(f"| `{shape.__name__}` |")]
    for name in shape.model_fields:
        assert f"`{name}`" in line, name


def test_each_sort_of_issue_is_documented() -> None:
    text = (ROOT / "sync_engine" / "operations" / "README.md").read_text()
    for what in MEANINGS:
        assert f"| `{what}` |" in text, what
