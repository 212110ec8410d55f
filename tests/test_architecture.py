"""What would erode silently: sizes, seams, arrows in step with the documentation."""

import ast
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("connectors", "profiles", "config", "sync_engine", "benchmarks")
#: files over 400 lines, each with its reason
LONG = {
    "connectors/testing/contract.py": "one class, every promise of the contract a test",
    "sync_engine/models.py": "nineteen tables that refer to each other",
    "sync_engine/demo/people.py": "the demo's cast: a table of values, no code",
}
SOURCES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations/versions" not in path.as_posix()
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))], ids=name_of)
def test_a_file_stays_readable(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= 400 or name_of(path) in LONG


def test_every_exception_is_still_needed() -> None:
    for name in LONG:
        assert len((ROOT / name).read_text().splitlines()) > 400, name


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_function_stays_small(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0].lineno
            assert (node.end_lineno or first) - first < 60, f"{node.name} in {name_of(path)}"


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if p.is_relative_to(ROOT / "connectors")],
    ids=name_of,
)
def test_only_one_module_opens_connections(path: Path) -> None:
    """Elsewhere httpx is named for its types only; simulators are servers."""
    if path.name == "http.py" or "simulators" in path.parts:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            assert called not in ("httpx.get", "httpx.post", "httpx.request", "requests.get"), (
                called
            )
            assert called != "httpx.Client", name_of(path)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_ours(package: str) -> None:
    """Another distribution with the same top-level name would shadow it silently."""
    module = __import__(package)
    assert Path(str(module.__file__)).is_relative_to(ROOT)
    assert distribution("crm-sync").name == "crm-sync"
