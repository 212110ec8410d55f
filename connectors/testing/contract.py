"""The suite that every connector passes: one class, every promise a test.

Subclass ``ConnectorContract`` in a pytest module and give it one fixture, ``bench``: a
system of your kind, empty, with a connector to it. connectors/README.md shows how.

    class TestAcme(ConnectorContract):
        @pytest.fixture
        def bench(self, server) -> AcmeBench:
            return AcmeBench(server)
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from connectors.errors import CursorExpiredError, TransientError
from connectors.protocol import (
    Action,
    Converted,
    Cursor,
    Deleted,
    Level,
    Merged,
    ObjectType,
    Outcome,
    Page,
    Record,
    Result,
    Selection,
    Upserted,
    Values,
    Write,
)
from connectors.testing.bench import Bench


class ConnectorContract:
    """Every promise of connectors/README.md; its number stands in the name of the test."""

    @pytest.fixture
    def kind(self, bench: Bench) -> ObjectType:
        return next(o for o in bench.connector.describe() if o.name == bench.selection.object)

    # 1: exactly the selected fields, None for empty

    def test_1_a_record_has_exactly_the_selected_fields(self, bench: Bench) -> None:
        number = bench.create(1)
        listed = _state(_read(bench))
        (fetched,) = bench.connector.fetch(bench.selection, "id", [number])
        for record in (listed[number], fetched):
            assert set(record.values) == set(bench.selection.fields)
            assert record.values[bench.text] is None
            assert record.values[bench.name] == bench.values(1)[bench.name]

    def test_1_another_selection_has_other_fields(self, bench: Bench) -> None:
        number = bench.create(1)
        narrow = replace(bench.selection, fields=(bench.name,))
        pages = list(bench.connector.changes(narrow, None))
        expected = {bench.name: bench.values(1)[bench.name]}
        assert _state(pages)[number].values == expected
        assert bench.connector.fetch(narrow, "id", [number])[0].values == expected

    # 2: as it is, never older than what was returned or written

    def test_2_an_edit_is_reported_as_it_is_now(self, bench: Bench) -> None:
        number = bench.create(1)
        cursor = _read(bench)[-1].cursor
        for text in ("first", "second"):
            bench.later()
            bench.edit(number, text)
        assert _state(_read(bench, cursor))[number].values[bench.text] == "second"

    def test_2_our_own_write_is_read_at_once(self, bench: Bench) -> None:
        number = bench.create(1)
        cursor = _read(bench)[-1].cursor
        bench.later()
        outcome = _update(bench, _fetched(bench, number), {bench.text: "ours"})
        assert outcome.result is Result.DONE
        assert _fetched(bench, number).values[bench.text] == "ours"
        assert _state(_read(bench, cursor))[number].values[bench.text] == "ours"

    def test_2_the_version_after_a_write_is_the_version_that_is_read(self, bench: Bench) -> None:
        number = bench.create(1)
        bench.later()
        outcome = _update(bench, _fetched(bench, number), {bench.text: "ours"})
        record = _fetched(bench, number)
        if outcome.version is not None:
            assert outcome.version == record.version
        assert _update(bench, record, {bench.text: "again"}).result is Result.DONE

    # 3: a cursor loses nothing

    def test_3_a_listing_tells_everybody_and_when_it_has(self, bench: Bench) -> None:
        numbers = {bench.create(n) for n in range(7)}
        pages = _read(bench)
        assert set(_state(pages)) == numbers
        assert len(pages) > 1
        assert [page.listed_all for page in pages] == [False] * (len(pages) - 1) + [True]

    def test_3_an_empty_system_has_one_page(self, bench: Bench) -> None:
        (page,) = _read(bench)
        assert (list(page.changes), page.listed_all) == ([], True)
        assert all(not later.changes for later in _read(bench, page.cursor))

    def test_3_a_listing_goes_on_where_it_was_broken_off(self, bench: Bench) -> None:
        numbers = {bench.create(n) for n in range(7)}
        whole = _read(bench)
        for stop in range(1, len(whole)):
            begun = _some(bench.connector.changes(bench.selection, None), stop)
            rest = _read(bench, begun[-1].cursor)
            assert set(_state([*begun, *rest])) == numbers
            assert rest[-1].listed_all

    def test_3_what_happens_while_pages_are_read_is_not_lost(self, bench: Bench) -> None:
        numbers = [bench.create(n) for n in range(7)]
        bench.later()
        pages = bench.connector.changes(bench.selection, None)
        read = _some(pages, 1)
        bench.later()
        fresh = bench.create(8)
        for number in numbers:
            bench.edit(number, "meanwhile")
        read += list(pages)
        read += _read(bench, read[-1].cursor)
        state = _state(read)
        assert set(state) == {*numbers, fresh}
        assert {state[number].values[bench.text] for number in numbers} == {"meanwhile"}

    def test_3_what_becomes_visible_late_is_not_lost(self, bench: Bench) -> None:
        _needs(bench, "hide")
        bench.hide()
        hidden = bench.create(1)
        cursor = _read(bench)[-1].cursor
        bench.show()
        assert set(_state(_read(bench, cursor))) == {hidden}

    # 4: replaying is harmless; a cursor that cannot be used says so

    def test_4_a_cursor_can_be_used_twice(self, bench: Bench) -> None:
        numbers = [bench.create(n) for n in range(4)]
        cursor = _read(bench)[-1].cursor
        bench.later()
        bench.edit(numbers[0], "edited")
        first, second = (_state(_read(bench, cursor)) for _ in range(2))
        assert first == second
        assert first[numbers[0]].values[bench.text] == "edited"

    def test_4_a_cursor_of_another_selection_is_refused(self, bench: Bench) -> None:
        bench.create(1)
        cursor = _read(bench)[-1].cursor
        narrow = replace(bench.selection, fields=(bench.name,))
        with pytest.raises(CursorExpiredError):
            list(bench.connector.changes(narrow, cursor))

    def test_4_a_cursor_that_is_too_old_is_refused(self, bench: Bench) -> None:
        _needs(bench, "expire")
        bench.create(1)
        cursor = _read(bench)[-1].cursor
        bench.expire()
        with pytest.raises(CursorExpiredError):
            list(bench.connector.changes(bench.selection, cursor))

    def test_4_a_damaged_cursor_is_refused_or_reads_everything(self, bench: Bench) -> None:
        numbers = {bench.create(n) for n in range(4)}
        cursor = _read(bench)[-1].cursor
        for name in cursor:
            without = {other: value for other, value in cursor.items() if other != name}
            for damaged in (without, {**cursor, name: "damaged"}):
                with suppress(CursorExpiredError):
                    pages = _read(bench, damaged)
                    assert set(_state(pages)) == numbers, name
                    assert pages[-1].listed_all, name

    # 5: one key, one record

    def test_5_creating_twice_with_one_key_gives_one_record(self, bench: Bench) -> None:
        outcomes = [_write(bench, _create(bench, 1)) for _ in range(2)]
        assert [outcome.result for outcome in outcomes] == [Result.DONE] * 2
        assert outcomes[0].id == outcomes[1].id
        assert set(_state(_read(bench))) == {outcomes[0].id}

    def test_5_creating_again_after_a_lost_answer_gives_one_record(self, bench: Bench) -> None:
        bench.connector.check([])  # signed in: the next call is the write
        bench.lose_answer()
        try:
            first = _write(bench, _create(bench, 1)).result
        except TransientError:
            first = Result.RETRY
        assert first in (Result.RETRY, Result.DONE)
        outcome = _write(bench, _create(bench, 1))
        assert outcome.result is Result.DONE
        assert set(_state(_read(bench))) == {outcome.id}

    def test_5_converting_twice_with_one_key_converts_once(
        self, bench: Bench, kind: ObjectType
    ) -> None:
        if bench.conversion is None:
            assert bench.becomes is not None or Action.CONVERT not in kind.actions
            pytest.skip("no record of the system becomes a customer in place")
        number = bench.create(1)
        wish = Write(Action.CONVERT, UUID(int=5), number, bench.conversion)
        assert [_write(bench, wish).result for _ in range(2)] == [Result.DONE] * 2

    def test_5_a_lead_that_is_converted_twice_becomes_one_customer(self, bench: Bench) -> None:
        wish = _conversion(bench, bench.create(1))
        first, second = (_write(bench, wish) for _ in range(2))
        assert first.result is second.result is Result.DONE
        assert first.into == second.into
        assert [one.id for one in _customers(bench)] == [first.into[str(bench.becomes)]]
        assert bench.connector.fetch(bench.selection, "id", [str(wish.id)]) == []

    def test_5_a_conversion_whose_answer_was_lost_is_not_made_again(self, bench: Bench) -> None:
        wish = _conversion(bench, bench.create(1))
        bench.lose_answer(Action.CONVERT)
        with suppress(TransientError):
            bench.connector.write(bench.selection.object, [wish])
        outcome = _write(bench, wish)
        assert outcome.result is Result.DONE
        assert [one.id for one in _customers(bench)] == [outcome.into[str(bench.becomes)]]

    def test_5_a_lead_becomes_the_customer_that_is_there(self, bench: Bench) -> None:
        made = _write(bench, _conversion(bench, bench.create(1))).into[str(bench.becomes)]
        wish = _conversion(bench, bench.create(2), made)
        assert _write(bench, wish).into[str(bench.becomes)] == made
        assert [one.id for one in _customers(bench)] == [made]

    def test_5_a_lead_that_a_person_converted_is_theirs(self, bench: Bench) -> None:
        _needs(bench, "convert")
        wish = _conversion(bench, bench.create(1))
        bench.convert(str(wish.id))
        (theirs,) = _customers(bench)
        outcome = _write(bench, wish)
        assert (outcome.result, outcome.into[str(bench.becomes)]) == (Result.DONE, theirs.id)
        assert len(_customers(bench)) == 1

    def test_6_a_lead_that_moved_on_is_not_converted(self, bench: Bench, kind: ObjectType) -> None:
        wish = _conversion(bench, bench.create(1))
        if not kind.versions:
            pytest.skip("the system has no versions")
        version = _fetched(bench, str(wish.id)).version
        bench.later()
        bench.edit(str(wish.id), "theirs")
        assert _write(bench, replace(wish, version=version)).result is Result.STALE
        assert _customers(bench) == []

    # 6: a write carries the version it was decided on

    def test_6_a_record_that_moved_on_is_not_written(self, bench: Bench, kind: ObjectType) -> None:
        if not kind.versions:
            pytest.skip("the system has no versions")
        number = bench.create(1)
        record = _fetched(bench, number)
        assert record.version is not None
        bench.later()
        bench.edit(number, "theirs")
        assert _update(bench, record, {bench.text: "ours"}).result is Result.STALE
        assert _fetched(bench, number).values[bench.text] == "theirs"
        if Action.DELETE in kind.actions:
            wish = Write(Action.DELETE, UUID(int=6), number, version=record.version)
            assert _write(bench, wish).result is Result.STALE
            assert _fetched(bench, number).id == number

    def test_6_without_a_version_the_write_is_made(self, bench: Bench) -> None:
        number = bench.create(1)
        wish = Write(Action.UPDATE, UUID(int=6), number, {bench.text: "ours"})
        assert _write(bench, wish).result is Result.DONE
        assert _fetched(bench, number).values[bench.text] == "ours"

    # 7: one outcome per write, in order

    def test_7_outcomes_stand_in_order_whatever_fails(self, bench: Bench) -> None:
        wishes = [_create(bench, n) for n in range(4)]
        wishes[1] = replace(wishes[1], values={**wishes[1].values, **bench.refused})
        outcomes = bench.connector.write(bench.selection.object, wishes)
        results = [outcome.result for outcome in outcomes]
        assert results == [Result.DONE, Result.REJECTED, Result.DONE, Result.DONE]
        for number in (0, 2, 3):
            (record,) = bench.connector.fetch(bench.selection, "id", [str(outcomes[number].id)])
            assert record.values[bench.name] == bench.values(number)[bench.name]
        assert len(_state(_read(bench))) == 3

    def test_7_a_refusal_names_the_field_and_tells_no_value(self, bench: Bench) -> None:
        ((field, value),) = bench.refused.items()
        wish = _create(bench, 1)
        outcome = _write(bench, replace(wish, values={**wish.values, field: value}))
        assert outcome.result is Result.REJECTED
        assert set(outcome.faults) == {field}
        told = outcome.reason + str(outcome.faults)
        assert not any(one in told for one in _texts(value))

    def test_7_updates_of_what_is_not_there_are_gone(self, bench: Bench, kind: ObjectType) -> None:
        kept, gone = bench.create(1), bench.create(2)
        bench.delete(gone)
        actions = [Action.UPDATE, *({Action.DELETE} & kind.actions)]
        for action in actions:
            values = {bench.text: "x"} if action is Action.UPDATE else {}
            assert _write(bench, Write(action, UUID(int=7), gone, values)).result is Result.GONE
        wishes = [Write(Action.UPDATE, UUID(int=7), n, {bench.text: "x"}) for n in (gone, kept)]
        outcomes = bench.connector.write(bench.selection.object, wishes)
        assert [outcome.result for outcome in outcomes] == [Result.GONE, Result.DONE]

    def test_7_nothing_to_write_is_no_call(self, bench: Bench) -> None:
        before = bench.calls()
        assert list(bench.connector.write(bench.selection.object, [])) == []
        assert bench.calls() == before

    def test_7_as_many_writes_as_promised_go_at_once(self, bench: Bench, kind: ObjectType) -> None:
        wishes = [_create(bench, n) for n in range(kind.max_batch)]
        outcomes = bench.connector.write(bench.selection.object, wishes)
        assert {outcome.result for outcome in outcomes} == {Result.DONE}
        ids = [str(outcome.id) for outcome in outcomes]
        assert len(set(ids)) == kind.max_batch
        some = ids[:: 1 + len(ids) // 20]
        found = bench.connector.fetch(bench.selection, "id", some)
        assert {record.id for record in found} == set(some)

    # 8: what ends a record arrives as what it is

    def test_8_a_delete_is_told(self, bench: Bench, kind: ObjectType) -> None:
        kept, gone = bench.create(1), bench.create(2)
        cursor = _read(bench)[-1].cursor
        bench.later()
        bench.delete(gone)
        told = [change for page in _read(bench, cursor) for change in page.changes]
        assert (Deleted(gone) in told) == kind.reports_deletions
        assert set(_state(_read(bench))) == {kept}
        assert bench.connector.fetch(bench.selection, "id", [gone]) == []

    def test_8_a_merge_is_told(self, bench: Bench) -> None:
        _needs(bench, "merge")
        survivor, loser = bench.create(1), bench.create(2)
        cursor = _read(bench)[-1].cursor
        bench.later()
        bench.merge(survivor, loser)
        told = [change for page in _read(bench, cursor) for change in page.changes]
        assert Merged(loser, survivor) in told
        assert Deleted(loser) not in told

    def test_8_a_conversion_is_told(self, bench: Bench) -> None:
        _needs(bench, "convert")
        number = bench.create(1)
        cursor = _read(bench)[-1].cursor
        bench.later()
        bench.convert(number)
        told = [change for page in _read(bench, cursor) for change in page.changes]
        (converted,) = [one for one in told if isinstance(one, Converted)]
        assert converted.id == number
        offered = {one.name for one in bench.connector.describe()}
        assert set(converted.into) & offered
        assert bench.connector.fetch(bench.selection, "id", [number]) == []

    def test_8_a_conversion_of_a_record_of_ours_tells_our_key(self, bench: Bench) -> None:
        """The answer to its create may have been lost: then only the key says whose it is."""
        _needs(bench, "convert")
        made = _create(bench, 1)
        outcome = _write(bench, made)
        cursor = _read(bench)[-1].cursor
        bench.later()
        bench.convert(str(outcome.id))
        told = [change for page in _read(bench, cursor) for change in page.changes]
        assert [one.key for one in told if isinstance(one, Converted)] == [made.key]

    def test_8_who_comes_back_is_told(self, bench: Bench) -> None:
        _needs(bench, "undelete")
        number = bench.create(1)
        bench.delete(number)
        cursor = _read(bench)[-1].cursor
        bench.later()
        bench.undelete(number)
        assert set(_state(_read(bench, cursor))) == {number}

    # 9: only what is given is written

    def test_9_other_fields_stay(self, bench: Bench) -> None:
        number = bench.create(1)
        before = _fetched(bench, number)
        assert _update(bench, before, {bench.text: "ours"}).result is Result.DONE
        assert _fetched(bench, number).values == {**before.values, bench.text: "ours"}

    def test_9_none_clears(self, bench: Bench) -> None:
        number = bench.create(1)
        bench.edit(number, "theirs")
        record = _fetched(bench, number)
        assert record.values[bench.text] == "theirs"
        assert _update(bench, record, {bench.text: None}).result is Result.DONE
        assert _fetched(bench, number).values == {**record.values, bench.text: None}

    def test_9_members_are_added_and_removed(self, bench: Bench, kind: ObjectType) -> None:
        if bench.many is None:
            assert not any(field.many for field in kind.fields.values())
            pytest.skip("no field holds a set")
        name, one, two = bench.many
        number = bench.create(1)
        others = set(_fetched(bench, number).values[name] or ())
        for change, left in (
            ({"add": [one], "remove": []}, {one}),
            ({"add": [two], "remove": [one]}, {two}),
            ({"add": [], "remove": [two]}, set()),
        ):
            bench.later()
            assert _update(bench, _fetched(bench, number), {name: change}).result is Result.DONE
            assert set(_fetched(bench, number).values[name] or ()) == others | left

    # reading on demand, and what is told beforehand

    def test_fetch_by_id_by_key_and_by_field(self, bench: Bench) -> None:
        outcomes = bench.connector.write(
            bench.selection.object, [_create(bench, n) for n in range(3)]
        )
        ids = [str(outcome.id) for outcome in outcomes]
        fetch = bench.connector.fetch
        assert {r.id for r in fetch(bench.selection, "id", ids[:2])} == set(ids[:2])
        sought = _plain(bench.values(1)[bench.search])
        assert [r.id for r in fetch(bench.selection, bench.search, [sought])] == [ids[1]]
        (found,) = fetch(bench.selection, "key", [str(_key(2))])
        assert (found.id, found.key) == (ids[2], _key(2))

    def test_fetch_leaves_out_what_is_not_there(self, bench: Bench) -> None:
        number = bench.create(1)
        fetch = bench.connector.fetch
        assert fetch(bench.selection, "id", []) == []
        assert fetch(bench.selection, "key", [str(_key(99))]) == []
        assert fetch(bench.selection, bench.search, [_plain(bench.values(99)[bench.search])]) == []
        bench.delete(number)
        assert fetch(bench.selection, "id", [number]) == []

    def test_a_deleted_record_is_deleted_once(self, bench: Bench, kind: ObjectType) -> None:
        if Action.DELETE not in kind.actions:
            pytest.skip("the connector does not delete")
        number = bench.create(1)
        wish = Write(Action.DELETE, UUID(int=9), number, version=_fetched(bench, number).version)
        assert [_write(bench, wish).result for _ in range(2)] == [Result.DONE, Result.GONE]
        assert bench.written() == 1

    def test_what_is_offered_is_described(self, bench: Bench, kind: ObjectType) -> None:
        assert set(bench.selection.fields) <= set(kind.fields)
        assert {Action.CREATE, Action.UPDATE} <= kind.actions
        assert kind.max_batch >= 1
        described = {one.name: one for one in bench.connector.describe()}
        for name, mapping in bench.connector.Mappings.items():
            natives = set(_natives(mapping))
            assert natives <= set(described[name].fields), name

    def test_check_knows_the_organization(self, bench: Bench) -> None:
        found = [bench.connector.check([bench.selection]) for _ in range(2)]
        assert found[0].identity == found[1].identity != ""
        assert [f for f in found[0].findings if f.level is Level.ERROR] == []


def _key(number: int) -> UUID:
    return UUID(int=1000 + number)


def _create(bench: Bench, number: int) -> Write:
    return Write(Action.CREATE, _key(number), values=bench.values(number))


def _write(bench: Bench, wish: Write) -> Outcome:
    (outcome,) = bench.connector.write(bench.selection.object, [wish])
    return outcome


def _conversion(bench: Bench, number: str, into: str | None = None) -> Write:
    """The wish to convert a lead, into a new customer or one that is there."""
    if bench.becomes is None:
        pytest.skip("no lead of the system becomes another record by us")
    return Write(Action.CONVERT, UUID(int=5), number, into={bench.becomes: into})


def _customers(bench: Bench) -> list[Record]:
    """Everything of the object that leads become, each with one field."""
    selection = Selection(str(bench.becomes), (bench.name,))
    return list(_state(bench.connector.changes(selection, None)).values())


def _update(bench: Bench, record: Record, values: Values) -> Outcome:
    return _write(
        bench, Write(Action.UPDATE, UUID(int=1), record.id, values, version=record.version)
    )


def _fetched(bench: Bench, number: str) -> Record:
    (record,) = bench.connector.fetch(bench.selection, "id", [number])
    return record


def _read(bench: Bench, since: Cursor | None = None) -> list[Page]:
    return list(bench.connector.changes(bench.selection, since))


def _some(pages: Iterator[Page], count: int) -> list[Page]:
    return [next(pages) for _ in range(count)]


def _state(pages: Iterable[Page]) -> dict[str, Record]:
    """Who is there after these changes."""
    found: dict[str, Record] = {}
    for page in pages:
        for change in page.changes:
            if isinstance(change, Upserted):
                found[change.record.id] = change.record
            else:
                found.pop(change.id, None)
    return found


def _needs(bench: Bench, ability: str) -> None:
    if ability not in bench.can:
        pytest.skip(f"nobody can {ability} there")


def _plain(value: Any) -> str:
    """The value to look a record up by; of a set, its member."""
    return str(value["add"][0] if isinstance(value, dict) else value)


def _texts(value: Any) -> list[str]:
    return [str(one) for one in (value["add"] if isinstance(value, dict) else [value])]


def _natives(mapping: Values) -> Iterator[str]:
    for entry in mapping["fields"].values():
        if isinstance(entry, str):
            yield entry
        elif "parts" in entry:
            yield from entry["parts"].values()
        else:
            yield entry.get("field") or entry["member_of"]
