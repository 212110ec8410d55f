"""Who is one, who is two, and whom a person is asked about."""

from typing import Any

import pytest

from sync_engine import matching, resemblance
from sync_engine.folding import company, fold, given
from sync_engine.matching import Group, Member

ANN = {"first_name": "Ann", "last_name": "Horvat", "email": "ann@plavi.example"}


def person(**more: Any) -> dict[str, Any]:
    return ANN | more


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (person(), person(), True),
        (person(), person(first_name="ANN"), True),
        (person(first_name="Robert"), person(first_name="Bob"), True),
        (person(first_name="R."), person(first_name="Robert"), True),
        (person(last_name="Groß"), person(last_name="Gross"), True),
        (person(last_name="Müller"), person(last_name="Mueller"), True),
        (person(last_name="Đurić"), person(last_name="Djuric"), True),
        (person(last_name="Horvat-Novak"), person(last_name="Novak"), True),
        (person(first_name="Horvat", last_name="Ann"), person(), True),
        (person(first_name=None), person(), True),
        (person(first_name="Marija"), person(first_name="Stjepan"), False),
        (person(last_name="Novak"), person(), False),
    ],
)
def test_practice_2_2_names_must_agree(
    left: dict[str, Any], right: dict[str, Any], expected: bool
) -> None:
    assert matching.agrees("lead", matching.EMAIL, left, right) is expected
    assert matching.agrees("lead", matching.EMAIL, right, left) is expected


@pytest.mark.parametrize(
    "email",
    [
        "info@plavi.example",
        "none@none.com",
        "test@test.com",
        "no-reply@x.example",
        "nonsense",
        None,
    ],
)
def test_practice_2_2_what_is_no_key(email: str | None) -> None:
    assert matching.keys("lead", {"last_name": "Horvat", "email": email}) == []


def test_practice_2_1_rules_stand_in_order() -> None:
    values = person(mobile="+385915550101", birth_date="1980-01-01", company_name="Plavi d.o.o.")
    assert [key.rule for key in matching.keys("lead", values)] == [1, 2, 3, 4]


def test_a_lead_shares_no_key_with_a_customer() -> None:
    lead, customer = (matching.keys(kind, ANN)[0] for kind in ("lead", "customer"))
    assert lead.digest != customer.digest


def test_companies_link_by_number_domain_and_name_with_place() -> None:
    place = {"country": "HR", "city": "Zagreb"}
    values = {"name": "Plavi d.o.o.", "vat": "HR 123", "website": "plavi.example", "address": place}
    other = {"name": "PLAVI", "vat": "hr-123", "website": "plavi.example", "address": place}
    one, two = ([k.digest for k in matching.keys("company", v)] for v in (values, other))
    assert one == two
    assert matching.keys("company", {"name": "X", "website": "gmail.com"}) == []


def settle(*members: tuple[int, int, int | None, dict[str, Any]], **more: Any) -> Any:
    group = Group("lead", matching.EMAIL, tuple(Member(*member) for member in members), **more)
    found = matching.settle(group)
    return found.linked, {doubt.links: doubt.why for doubt in found.doubts}


WIFE, HUSBAND = person(first_name="Marija"), person(first_name="Stjepan")


@pytest.mark.parametrize(
    ("members", "linked", "asked"),
    [
        ([(1, 1, None, ANN), (2, 2, None, ANN)], ((1, 2),), {}),
        ([(1, 1, 9, ANN), (2, 2, None, ANN)], ((1, 2),), {}),
        ([(1, 1, 9, ANN), (2, 2, 9, ANN)], (), {}),
        (
            [(1, 1, None, ANN), (2, 1, None, ANN), (3, 2, None, ANN)],
            (),
            {(1, 2, 3): "duplicate in one system"},
        ),
        ([(1, 1, 8, ANN), (2, 2, 9, ANN), (3, 3, None, ANN)], (), {(1, 2, 3): "two entities"}),
        ([(1, 1, 8, ANN), (2, 2, 9, ANN)], (), {(1, 2): "two entities"}),
        (
            [(1, 1, None, WIFE), (2, 1, None, HUSBAND), (3, 2, None, WIFE), (4, 2, None, HUSBAND)],
            ((1, 3), (2, 4)),
            {},
        ),
        (
            [
                (1, 1, None, person(birth_date="1980-01-01")),
                (2, 2, None, person(birth_date="1981-01-01")),
            ],
            (),
            {(1, 2): "contradiction"},
        ),
    ],
    ids=[
        "one in each",
        "one is known",
        "both are known",
        "twice in one system",
        "two people and a third meet",
        "two people meet",
        "a couple on one mailbox",
        "birth dates differ",
    ],
)
def test_groups(members: Any, linked: Any, asked: Any) -> None:
    assert settle(*members) == (linked, asked)
    assert settle(*reversed(members)) == (linked, asked)


def test_who_was_told_apart_is_not_linked() -> None:
    apart = frozenset({frozenset({1, 2})})
    assert settle((1, 1, None, ANN), (2, 2, None, ANN), apart=apart) == ((), {})


def test_state_9_a_place_that_is_taken_is_a_doubt() -> None:
    pair = (1, 1, 9, ANN), (2, 2, None, ANN)
    assert settle(*pair, places={9: (1, 2)}) == ((), {(1, 2): "duplicate in one system"})
    assert settle(*pair, places={9: (1, 3)}) == (((1, 2),), {})


@pytest.mark.parametrize(
    ("rule", "email", "linked"),
    [
        (matching.MOBILE, "ann@plavi.example", True),
        (matching.MOBILE, None, True),
        (matching.MOBILE, "other@plavi.example", False),
        (matching.EMAIL, "other@plavi.example", True),  # what was asked of the stronger rule
    ],
)
def test_state_9_a_stronger_rule_contradicts(rule: int, email: str | None, linked: bool) -> None:
    both = [ANN, person(email=email)]
    members = tuple(
        Member(n, n, None, values, tuple(matching.keys("lead", values)))
        for n, values in enumerate(both)
    )
    assert bool(matching.settle(Group("lead", rule, members)).linked) is linked


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [
        (person(company_name="Plavi"), person(first_name="Ana", company_name="Plavi d.o.o."), True),
        (person(mobile="+385915550104"), person(first_name="A.", phone="+3851915550104"), True),
        (person(last_name="Horvath", email=None, address={"city": "Zadar"}),
         person(email=None, address={"city": "zadar"}), True),
        (person(company_name="Plavi"), person(first_name=None, company_name="Plavi"), True),
        (person(email=None), person(email=None), False),
        (person(first_name=None, email=None, birth_date="1990-05-01"),
         person(first_name=None, last_name="Kral", email=None, birth_date="1990-05-01"), False),
        (person(company_name="Plavi"), person(first_name="Eve", company_name="Plavi"), False),
    ],
)  # fmt: skip
def test_practice_2_3_resemblance(left: dict[str, Any], right: dict[str, Any], alike: bool) -> None:
    one, two = (found_under(values) for values in (left, right))
    assert (bool(one & two) and resemblance.resembles("lead", left, right)) is alike


def found_under(values: dict[str, Any]) -> set[int]:
    exact = {key.digest for key in matching.keys("lead", values)}
    return exact | set(resemblance.blocks("lead", values))


def test_folding() -> None:
    assert fold("Dr. José  GARCÍA-López") == "jose garcia lopez"
    assert given("Bobby Ray") == "robert"
    assert company("Plavi most d.o.o.") == company("PLAVI MOST")
    assert company("The Company Ltd.")


def firm(**more: Any) -> dict[str, Any]:
    return {"name": "Plavi Gradnja d.o.o.", **more}


HERE, ABROAD = {"address": {"country": "HR"}}, {"address": {"country": "IT"}}


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (firm(vat="HR 12345678901"), firm(vat="hr-12345678901"), True),
        (firm(vat="HR12345678901"), firm(vat="12345678901", **HERE), True),
        (firm(vat="HR12345678901"), firm(vat="12345678901"), True),
        (firm(vat="EL123456789"), firm(vat="123456789", address={"country": "GR"}), True),
        (firm(vat="12345678901", **HERE), firm(vat="12345678901", **HERE), True),
        (firm(vat="HR12345678901"), firm(vat="IT12345678901"), False),
        (firm(vat="HR12345678901"), firm(vat="12345678901", **ABROAD), False),
        (firm(vat="HR12345678901"), firm(vat="12345678901", name="Zuti Promet"), False),
        (firm(vat="HR12345678901"), firm(vat="HR12345678902"), False),
        (firm(vat="HRB 12345"), firm(vat="B12345"), False),  # of a register, no VAT number
    ],
)
def test_practice_2_1_a_vat_number_may_lack_its_country(
    left: dict[str, Any], right: dict[str, Any], expected: bool
) -> None:
    one, two = (
        {k.digest for k in matching.keys("company", v) if k.rule == matching.VAT}
        for v in (left, right)
    )
    meets = bool(one & two)
    for first, second in ((left, right), (right, left)):
        agrees = matching.agrees("company", matching.VAT, first, second)
        assert (meets and agrees) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PLAVI GRADNJA", True), ("Gradnja Plavi, Ltd.", True), ("Plavi Gradnaj", True),
        ("Plavi Grradnja GmbH", True), ("Plavi", False), ("Plavi Invest", False),
        ("Plavi Gradnja Invest", False), ("Plavi Gradnja 2", False), (None, True),
    ],
)  # fmt: skip
def test_practice_2_2_a_domain_links_no_mother_with_her_daughter(
    name: str | None, expected: bool
) -> None:
    assert matching.agrees("company", matching.DOMAIN, firm(), firm(name=name)) is expected


@pytest.mark.parametrize(
    ("name", "rule", "linked"),
    [
        ("Plavi Gradnja Ltd.", matching.NAME, True),
        ("Plavi Gradnja", matching.NAME, True),
        ("Plavi Gradnja d.d.", matching.NAME, False),
        ("Plavi Gradnja obrt", matching.DOMAIN, False),
        ("Plavi Gradnja d.d.", matching.VAT, True),  # it has changed its form
        ("Plavi Gradnja GmbH & Co. KG", matching.NAME, True),
    ],
)
def test_practice_2_1_another_legal_form_is_asked_about(name: str, rule: int, linked: bool) -> None:
    members = tuple(
        Member(number, number, None, firm(name=one))
        for number, one in enumerate(("Plavi Gradnja d.o.o.", name))
    )
    found = matching.settle(Group("company", rule, members))
    assert bool(found.linked) is linked
    assert [doubt.why for doubt in found.doubts] == ([] if linked else ["contradiction"])
