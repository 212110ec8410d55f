"""Values become arrays and come back, whatever layout stands in the row."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sync_engine.store import migrate, open_database
from sync_engine.store.layouts import Layouts

FORM = b"12345678"
NAMES = ("city", "email", "first_name", "last_name", "mobile", "vat")
_VALUES: Any = st.one_of(
    st.none(), st.booleans(), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2)
)
_RECORDS = st.dictionaries(st.sampled_from(NAMES), _VALUES)
_SIDES = st.lists(st.sets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=4)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(mapped=_SIDES, values=_RECORDS)
def test_what_a_layout_has_a_place_for_comes_back_unset_unlike_null(
    mapped: list[set[str]], values: dict[str, Any]
) -> None:
    """Fields are mapped one after the other; what stands under an old layout is read on."""
    engine = open_database("sqlite://")
    migrate(engine)
    stored: list[tuple[int, list[Any], set[str]]] = []
    with engine.begin() as connection:
        layouts = Layouts()
        for names in mapped:
            side = dict.fromkeys(sorted(names), FORM)
            layouts.add(connection, [side])
            stored.append((layouts.of(side), layouts.encode(layouts.of(side), values), names))
        again = Layouts()
        again.load(connection)
    engine.dispose()
    for layout, array, names in stored:
        kept = {name: value for name, value in values.items() if name in names}
        assert again.decode(layout, array) == layouts.decode(layout, array) == kept
    first, last = stored[0], stored[-1]
    assert set(again.changed(first[0], last[0])) == first[2] ^ last[2]
