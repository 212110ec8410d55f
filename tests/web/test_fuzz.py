"""Whatever the document allows, and what it does not, is answered as the document says."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.engine.three import Three
from tests.web.conftest import BEARER, client_of, daemon_of, settings_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

EXAMPLES = 25  #: of each operation and mode


@pytest.fixture
def document(three: Three) -> Iterator[Any]:
    daemon = daemon_of(three, lambda _clock: daemon_of(three).service)
    daemon.start()
    three.sales.create("Contact", first="Ann", last="Horvat", mail="ann@plavi.example")
    yield schemathesis.openapi.from_asgi(
        "/api/openapi.json",
        client_of(daemon, settings_of(listen="0.0.0.0:8470")).app,
        headers=BEARER,
    )
    daemon.clock.stop()
    daemon.wait()


#: what a schema cannot say (exactly one of these) is refused though it fits the schema
FITS_THE_SCHEMA = [positive_data_acceptance]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.filterwarnings("ignore:Do not use the .random. module")  # schemathesis does
def test_answers_are_as_documented(document: Any, mode: GenerationMode) -> None:
    asked = 0
    for found in document.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not _takes_something(operation):
            continue

        @seed(7)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            case.call_and_validate(headers=BEARER, excluded_checks=FITS_THE_SCHEMA)

        ask()
        asked += 1
    assert asked > 15


def _takes_something(operation: Any) -> bool:
    return bool(len(operation.body) or len(operation.path_parameters) or len(operation.query))
