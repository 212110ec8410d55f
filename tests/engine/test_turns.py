"""Instances side by side: one that hangs, or tells for hours, delays no other (practice 8.3)."""

import threading
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import pytest

from connectors import TransientError
from sync_engine.service import Turns
from sync_engine.service.confined import confined
from sync_engine.store import migrate, open_database
from tests.engine.faults import Fault, only
from tests.engine.three import ORDER, Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
HANGS = 60.0  #: seconds that a test waits for another thread, should there be a fault


class Hanging(Fault):
    """While ``hangs``, one verb has no answer until ``answer``; what it is asked is noted."""

    def __init__(self, inner: Any, verb: str) -> None:
        super().__init__(inner)
        self.verb, self.hangs = verb, False
        self.asked: Future[None] = Future()
        self.answer = threading.Event()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        return self._held(real) if name == self.verb and self.hangs else real

    def _held(self, real: Any) -> Any:
        def hold(*given: Any) -> Any:
            self.asked.set_result(None)
            assert self.answer.wait(HANGS)
            return real(*given)

        return hold


class Beside:
    """The three systems under a service's turns; one of them hangs when it is told to."""

    def __init__(self, folder: Path) -> None:
        engine = open_database(f"sqlite:///{folder / 'state.db'}")
        migrate(engine)
        self.three = Three(engine)
        self.turns = Turns(ORDER, self._until)
        self.three.world.turns = self.turns
        self.asked: set[Future[None]] = set()

    def hang(self, instance: str, verb: str) -> Hanging:
        """A call of one instance that can be kept without an answer."""
        hanging = Hanging(self.three.source(f"{instance}/lead").connector, verb)
        for one in self.three.world.sources:
            inner: Any = hanging if one.instance == instance else one.connector
            one.connector = confined(one.instance, inner, self.turns)
        self.asked.add(hanging.asked)
        self.hanging = hanging
        return hanging

    def _until(self, turns: Collection[Future[None]], _patience: float | None) -> None:
        """Patience ends when all have ended but the one that hangs, which began in this wait."""
        pending, hangs = set(turns), False
        while len(pending) > hangs:
            done = wait({*pending, *self.asked}, HANGS, FIRST_COMPLETED).done
            assert done
            hangs = hangs or bool(self.asked & done)
            pending, self.asked = pending - done, self.asked - done

    def answer(self) -> None:
        """The call is answered, and what was late comes to its end."""
        self.hanging.hangs = False
        self.hanging.answer.set()
        wait(self.turns.under_way, HANGS)


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    found = Beside(tmp_path)
    yield found
    found.answer()
    found.turns.close()
    found.three.close()


def titles(three: Three) -> list[Any]:
    """Of the one person, in the three systems."""
    return [
        only(three.systems[name].alive(object)).values["title"]
        for name, object in (("sales", "Lead"), ("service", "lead"), ("profiles", "person"))
    ]


def test_practice_8_3_one_that_hangs_does_not_delay_the_others(beside: Beside) -> None:
    three = beside.three
    hanging = beside.hang("service", "changes")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    hanging.hangs = True
    three.sales.update("Lead", number, title="Chief")
    run = three.cycle()
    assert not hanging.answer.is_set()  # it has not been answered yet
    assert titles(three) == ["Chief", None, "Chief"]
    assert "still at work" in three.world.down["service"]
    three.sales.update("Lead", number, title="Boss")
    three.cycle()  # it is left alone while its call has no answer
    assert titles(three) == ["Boss", None, "Boss"]
    beside.answer()
    three.settle()
    assert titles(three) == ["Boss", "Boss", "Boss"]
    assert not three.world.down
    assert not [name for name in run.counts if name.endswith(("rejected", "retry"))]


def test_practice_8_3_a_write_without_an_answer_delays_no_other(beside: Beside) -> None:
    three = beside.three
    hanging = beside.hang("service", "write")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    hanging.hangs = True
    three.sales.update("Lead", number, title="Chief")
    three.cycle()
    assert titles(three) == ["Chief", None, "Chief"]
    three.sales.update("Lead", number, title="Boss")
    three.cycle()
    assert titles(three) == ["Boss", None, "Boss"]
    beside.answer()
    three.settle()
    three.settle()
    assert titles(three) == ["Boss", "Boss", "Boss"]
    assert not three.issues()


def test_practice_8_3_one_call_at_a_time_goes_to_an_instance(beside: Beside) -> None:
    three = beside.three
    hanging = beside.hang("service", "changes")
    three.sales.create("Lead", **ANN)
    three.settle()
    hanging.hangs = True
    three.cycle()
    for name, told in (("sales/Lead", None), ("service/lead", "has not answered an earlier call")):
        one = three.source(name)
        if told is None:
            assert one.connector.fetch(one.selection, "id", ["nobody"]) == []
        else:
            with pytest.raises(TransientError, match=told):
                one.connector.fetch(one.selection, "id", ["nobody"])


def test_practice_8_3_a_check_without_an_answer_keeps_nobody(beside: Beside) -> None:
    three = beside.three
    hanging = beside.hang("service", "check")
    service = three.face()
    hanging.hangs = True
    found = service.prepare()
    assert [health.instance for health in found if health.is_well] == ["sales", "profiles"]
    assert three.world.down == {"service": "is still at work on what it was asked before"}
    beside.answer()
    found = service.prepare()
    assert {health.instance for health in found if health.is_well} == set(ORDER)
    assert not three.world.down


def test_what_a_turn_raises_after_its_time_stops_the_next_ones() -> None:
    answer: Future[None] = Future()
    patient = Turns(("sales", "service"), lambda _turns, _patience: None)
    assert patient([("sales", answer.result)]) == ["sales"]
    assert patient([("sales", answer.result)]) == ["sales"]  # at most one turn of each
    answer.set_exception(KeyError("a bug"))
    wait(patient.under_way, HANGS)
    with pytest.raises(KeyError, match="a bug"):
        patient([])
    assert patient([]) == []
