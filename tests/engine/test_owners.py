"""Owners: written where mapped, by address or table, with a fallback that blocks nobody."""

from typing import Any

import pytest

from config.catalogue import CATALOGUE
from connectors import FieldType, Owner, Refusal
from sync_engine.guard import Limit
from sync_engine.models import Kind
from sync_engine.operations.checking import check
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
SALES = (
    Owner("005-us", "integration@plavi.example", is_us=True),
    Owner("005-ivo", "ivo@plavi.example"),
    Owner("005-eva", "Eva@plavi.example"),
    Owner("005-old", "old@plavi.example", active=False),
    Owner("00G-in", "queue:Inbound", objects=("Lead",)),
)
SERVICE = (
    Owner("user-us", "integration@plavi.example", is_us=True),
    Owner("user-ivo", "IVO@plavi.example"),
    Owner("user-boss", "boss@plavi.example"),
    Owner("team-1", "team:First line"),
)


def owned(
    three: Three, sales: dict[str, Any] | None = None, service: dict[str, Any] | None = None
) -> None:
    """Owners are mapped on both CRMs; who is not there belongs to the boss in one of them."""
    three.sales.owners, three.service.owners = SALES, SERVICE
    for name in ("sales/Lead", "service/lead"):
        three.offer(name, owner=FieldType("reference"))
    three.remap({"owner": {"field": "owner"} | (sales or {})}, "sales/Lead")
    here = {"field": "owner", "fallback": "boss@plavi.example"} if service is None else service
    three.remap({"owner": here}, "service/lead")


def owner(three: Three) -> Any:
    return only(three.service.alive("lead")).values["owner"]


def test_practice_4_5_an_owner_is_written_only_where_mapped(three: Three) -> None:
    owned(three)
    three.remap({"owner": None}, "service/lead")
    three.sales.create("Lead", **ANN, owner="005-ivo")
    three.settle()
    assert owner(three) is None


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("005-ivo", "user-ivo"),  # by address
        ("005-eva", "user-boss"),  # not there
        ("005-old", "user-boss"),  # left
        ("00G-in", "user-boss"),  # a queue, which the table does not name
        ("005-us", None),  # our own user is nobody's choice
        ("005-who", None),  # of whom nobody knows who that is
    ],
)
def test_practice_4_5_users_go_by_address_strangers_to_the_fallback(
    three: Three, there: str, here: str | None
) -> None:
    owned(three)
    three.sales.create("Lead", **ANN, owner=there)
    three.settle()
    assert owner(three) == here
    assert only(three.sales.alive("Lead")).values["owner"] == there


def test_practice_4_5_a_table_maps_users_queues_and_teams(three: Three) -> None:
    table = {"inbound": "queue:Inbound", "eva": "eva@plavi.example"}
    other = {"inbound": "team:First Line", "eva": "boss@plavi.example"}
    owned(three, {"values": table}, {"field": "owner", "values": other})
    number = three.sales.create("Lead", **ANN, owner="00G-in")
    three.settle()
    assert owner(three) == "team-1"
    for there, here in (("005-eva", "user-boss"), ("005-ivo", "user-ivo")):
        three.sales.update("Lead", number, owner=there)
        three.settle()
        assert owner(three) == here
    three.service.update("lead", only(three.service.alive("lead")).id, owner="team-1")
    three.settle()
    assert three.sales.row("Lead", number).values["owner"] == "00G-in"


def test_practice_4_5_a_fallback_flows_back_to_nobody_an_edit_of_it_does(three: Three) -> None:
    owned(three)
    number = three.sales.create("Lead", **ANN, owner="005-eva")
    three.settle()
    three.service.update("lead", only(three.service.alive("lead")).id, title="Buyer")
    three.settle()
    assert three.sales.row("Lead", number).values["owner"] == "005-eva"
    three.service.update("lead", only(three.service.alive("lead")).id, owner="user-ivo")
    three.settle()
    assert three.sales.row("Lead", number).values["owner"] == "005-ivo"


def test_practice_4_5_without_a_fallback_the_record_goes_without_an_owner(three: Three) -> None:
    owned(three, service={"field": "owner"})
    number = three.sales.create("Lead", **ANN, owner="005-eva")
    three.settle()
    assert owner(three) is None
    (told,) = [one for one in three.issues() if one.what == "unknown choice"]
    assert (told.field_name, told.cause) == ("owner", "somebody who is not there, or not active")
    three.sales.update("Lead", number, title="Buyer")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Buyer"


def test_practice_4_5_a_refused_owner_blocks_nobody(three: Three) -> None:
    """Deactivated since we asked who is there."""
    owned(three)
    three.service.rejects, three.service.refusal = {"owner": "user-ivo"}, Refusal.REFERENCE
    three.sales.create("Lead", **ANN, owner="005-ivo", title="Buyer")
    three.settle()
    row = only(three.service.alive("lead"))
    assert (row.values["title"], row.values["owner"]) == ("Buyer", None)
    assert "rejected" in three.whats()


def test_practice_4_5_who_is_deactivated_keeps_what_is_theirs(three: Three) -> None:
    owned(three)
    three.sales.create("Lead", **ANN, owner="005-ivo")
    three.settle()
    three.service.owners = (*SERVICE[2:], Owner("user-ivo", "ivo@plavi.example", active=False))
    three.describe()
    three.sales.update("Lead", only(three.sales.alive("Lead")).id, title="Buyer")
    three.settle()
    assert owner(three) == "user-ivo"


def test_practice_4_5_reassignment_right_after_our_create_is_the_crms_edit(three: Three) -> None:
    owned(three)
    number = three.sales.create("Lead", **ANN, owner="005-eva")
    stored = three.service.stored
    three.service.stored = lambda name, value: (
        "user-ivo" if name == "owner" else stored(name, value)
    )
    three.settle()
    assert owner(three) == "user-ivo"
    assert three.sales.row("Lead", number).values["owner"] == "005-ivo"


def test_practice_4_5_who_came_since_is_asked_for(three: Three) -> None:
    owned(three)
    number = three.sales.create("Lead", **ANN, owner="005-ivo")
    three.settle()
    three.sales.owners += (Owner("005-new", "boss@plavi.example"),)
    three.sales.update("Lead", number, owner="005-new")
    three.settle()
    assert owner(three) == "user-boss"


def test_practice_8_1_changes_of_owner_stop_a_push(three: Three) -> None:
    owned(three)
    three.guard(Kind.LEAD, owner=Limit(2, 0.0))
    numbers = [
        three.sales.create("Lead", **ANN | {"last": f"H{n}", "mail": f"h{n}@plavi.example"},
                           owner="005-ivo")
        for n in range(4)
    ]  # fmt: skip
    three.settle()
    for number in numbers:
        three.sales.update("Lead", number, owner="005-eva")
    three.settle()
    assert {row.values["owner"] for row in three.service.alive("lead")} == {"user-ivo"}
    assert [one.detail["risk"] for one in three.issues() if one.what == "guard"] == ["owner"]


def test_practice_4_5_check_tells_whose_created_records_would_be(three: Three) -> None:
    owned(three, {"values": {"inbound": "queue:Outbound"}}, {"field": "owner", "fallback": "x@y.z"})
    told = [f.what for one in check(three.face()) for f in one.findings if "owner" in f.what]
    assert told == [
        "Lead.owner: what belongs to somebody who is not there, or not active, is created as our "
        "own user's",
        "Lead.owner: nobody active there, or several, can own it under the name queue:Outbound",
        "lead.owner: nobody active there, or several, can own it under the name x@y.z",
    ]


def test_several_of_one_address_are_nobody(three: Three) -> None:
    owned(three)
    three.service.owners += (Owner("user-ivo-2", "ivo@plavi.example"),)
    three.describe()
    three.sales.create("Lead", **ANN, owner="005-ivo")
    three.settle()
    assert owner(three) == "user-boss"


@pytest.mark.parametrize("kind", CATALOGUE)
def test_an_owner_is_a_field_of_every_kind(kind: str) -> None:
    assert CATALOGUE[kind]["owner"] == "owner"
