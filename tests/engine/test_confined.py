"""A connector with a bug, or an answer that nobody foresaw, stops its own instance alone."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from connectors import Connector, Outcome, ResponseError, Result, Write
from sync_engine.service.confined import confined
from sync_engine.service.turns import Turns
from tests.engine.faults import Fault, source
from tests.engine.three import ORDER, Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
TURNS = Turns(ORDER)
VERBS = ("check", "describe", "changes", "fetch", "write")


class Buggy(Fault):
    """One verb meets an answer that it does not understand."""

    def __init__(self, inner: Any, verb: str) -> None:
        super().__init__(inner)
        self._verb = verb

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "__dict__").get("_verb"):
            return self._fail
        return super().__getattribute__(name)

    def _fail(self, *_given: Any) -> Any:
        answer: dict[str, str] = {}
        return answer["ann@plavi.example"]


class Forgetful(Fault):
    def write(self, _name: str, writes: Sequence[Write]) -> list[Outcome]:
        return [Outcome(Result.DONE)] * (len(writes) + 1)


def ask(connector: Connector, three: Three, verb: str) -> Any:
    """Call one verb as the engine does."""
    selection = source(three, "sales/Lead").selection
    given: dict[str, tuple[Any, ...]] = {
        "check": ([selection],),
        "describe": (),
        "changes": (selection, None),
        "fetch": (selection, "id", ["lea-1"]),
        "write": ("Lead", []),
    }
    answer = getattr(connector, verb)(*given[verb])
    return list(answer) if isinstance(answer, Iterator) else answer


@pytest.mark.parametrize("verb", VERBS)
def test_a_bug_in_a_connector_is_an_error_of_its_instance(three: Three, verb: str) -> None:
    inner = source(three, "sales/Lead").connector
    ask(confined("sales", inner, TURNS), three, verb)
    with pytest.raises(ResponseError) as caught:
        ask(confined("sales", Buggy(inner, verb), TURNS), three, verb)  # type: ignore[arg-type]
    assert "the connector of sales failed (KeyError in _fail:" in caught.value.what
    assert "ann@plavi.example" not in caught.value.told
    assert caught.value.remedy


def test_a_connector_that_loses_count_of_its_outcomes_is_not_believed(three: Three) -> None:
    inner = Forgetful(source(three, "sales/Lead").connector)
    with pytest.raises(ResponseError, match="1 outcomes of 0 writes"):
        confined("sales", inner, TURNS).write("Lead", [])  # type: ignore[arg-type]


@pytest.mark.parametrize("verb", ["changes", "fetch", "write"])
def test_practice_8_3_a_bad_instance_never_stops_the_others(three: Three, verb: str) -> None:
    for one in three.world.sources:
        inner = Buggy(one.connector, verb) if one.instance == "service" else one.connector
        one.connector = confined(one.instance, inner, TURNS)  # type: ignore[arg-type]
    three.sales.create("Lead", **ANN)
    three.settle()
    if verb == "changes":  # what has never been read whole takes no part: nothing is matched
        assert "service" in three.world.down
        return
    assert [row.values["last"] for row in three.profiles.alive("person")] == ["Horvat"]
    assert three.service.alive("lead") == []
    assert "service" in three.world.down
