"""Who is one person, who is two, and who is asked about."""

from sync_engine import matching, operations, resemblance
from sync_engine.identifiers import SHIPPED
from sync_engine.models import Kind, LinkState
from sync_engine.operations import Verdict
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PERSON = {name: value for name, value in ANN.items() if name != "firm"}


def test_state_9_two_rules_bring_two_records_of_one_system(three: Three) -> None:
    mobile = "091 555 0104"
    three.sales.create("Lead", **ANN, mobile=mobile)
    three.service.create("lead", **ANN)
    three.service.create("lead", **ANN | {"mail": None}, mobile=mobile)
    three.settle()
    assert len(three.sales.alive("Lead")) == 1
    assert "identity" in three.whats()


def test_state_9_a_second_record_meets_the_person_by_another_systems_key(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.rejects = {"mobile": "+385915550104"}
    three.sales.update("Lead", number, mobile="091 555 0104")
    three.settle()
    three.service.rejects = {}
    three.service.create("lead", first="Ann", last="Horvat", mobile="091 555 0104", firm="Plavi")
    three.settle()
    assert "identity" in three.whats()


def test_i_11_a_create_found_by_its_key_has_match_keys(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.lost_answers = 1
    three.settle()
    three.service.create("lead", **ANN)
    three.settle()
    assert len(three.sales.alive("Lead")) == 1
    assert "identity" in three.whats()


def test_state_9_a_namesake_with_another_address_is_asked(three: Three) -> None:
    three.sales.create("Lead", **ANN, mobile="091 555 0104")
    three.service.create("lead", **ANN | {"mail": "horvat2@plavi.example"}, mobile="091 555 0177")
    three.settle()
    assert {r.values["mail"] for r in three.sales.alive("Lead")} == {"ann@plavi.example"}
    assert {r.values["mail"] for r in three.service.alive("lead")} == {"horvat2@plavi.example"}


def test_practice_2_2_a_companys_own_number_is_no_key(three: Three) -> None:
    three.world.sources = [one for one in three.world.sources if one.instance != "profiles"]
    number = "01 555 0101"
    firms = [
        three.sales.create("Account", name="Plavi", vat="HR1", phone=number),
        three.service.create("account", name="Plavi", vat="HR1", phone=number),
    ]
    three.sales.create("Contact", first="Ivan", last="Horvat", phone=number, account=firms[0])
    three.service.create("contact", last="Horvat", phone=number, account=firms[1])
    three.settle()
    assert only(three.sales.alive("Contact")).values["first"] == "Ivan"
    assert only(three.service.alive("contact")).values["first"] is None


def test_practice_2_1_a_record_with_our_key_is_ours(three: Three) -> None:
    three.sales.create("Lead", first="Ann", last="Horvat", firm="Plavi")
    three.settle()
    row = only(three.service.alive("lead"))
    three.service.delete("lead", row.id)
    three.settle()
    again = three.service.create("lead", first="A.", last="Horvat-Kralj", firm="Other")
    three.service.row("lead", again).key = row.key
    three.settle()
    assert len(three.sales.alive("Lead")) == 1


def test_state_9_two_people_who_meet_in_a_group_are_an_issue(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.create("lead", first="Ann", last="Horvat", mail="a@b.example", firm="Zub")
    three.settle()
    row = next(r for r in three.service.alive("lead") if r.values["mail"] == "a@b.example")
    three.service.update("lead", row.id, mail="ann@plavi.example")
    three.settle()
    assert "identity" in three.whats()


def test_state_8_asked_records_return_when_their_group_changes(three: Three) -> None:
    first = three.sales.create("Lead", **ANN)
    second = three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.settle()
    assert three.whats().count("identity") == 1
    three.sales.merge("Lead", first, second)
    three.settle()
    assert len(three.profiles.alive("person")) == 1
    assert three.whats() == []


def test_practice_2_3_a_held_create_goes_when_the_look_alike_does(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    alike = three.service.create("lead", first="Ana", last="Horvat", firm="Plavi d.o.o.")
    three.settle()
    assert "possible duplicate" in three.whats()
    three.service.delete("lead", alike)
    three.settle()
    assert len(three.profiles.alive("person")) == 1
    assert "possible duplicate" not in three.whats()


def test_practice_2_5_the_customer_covers_the_lead_when_both_are_new(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.create("contact", **PERSON)
    three.settle()
    assert only(three.profiles.alive("person")).values["type"] == "CUSTOMER"


def test_practice_4_1_only_the_setter_of_a_merged_opt_out_gives_permission(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN, noemail=False)
    three.settle()
    other = three.service.create("lead", **ANN | {"last": "Babic", "mail": "b@x.example"})
    three.settle()
    three.service.update("lead", other, noemail=True)
    three.settle()
    double = next(r for r in three.sales.alive("Lead") if r.values["last"] == "Babic")
    three.sales.merge("Lead", ann, double.id)
    three.settle()
    assert three.sales.row("Lead", ann).values["noemail"] is True
    three.sales.update("Lead", ann, noemail=False)
    three.settle()
    assert three.sales.row("Lead", ann).values["noemail"] is True


def test_state_9_the_question_about_two_people_ends_when_they_part(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN | {"mail": "a@b.example", "firm": "Zub"})
    three.settle()
    three.sales.update("Lead", ann, mail="a@b.example")
    three.settle()
    assert three.whats().count("identity") == 1
    three.sales.update("Lead", ann, mail="ann@plavi.example")
    three.settle()
    assert "identity" not in three.whats()


def test_state_9_two_people_who_meet_are_joined_by_a_person(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.create("lead", first="Ann", last="Horvat", mail="a@b.example", firm="Zub")
    three.settle()
    row = next(r for r in three.service.alive("lead") if r.values["mail"] == "a@b.example")
    three.service.update("lead", row.id, mail="ann@plavi.example")
    three.settle()
    (question,) = [issue for issue in three.issues() if issue.what == "identity"]
    operations.resolve(three.face(), question.id, Verdict("same"), "somebody")
    three.settle()
    assert "identity" not in three.whats()
    owners = {link.entity_id for link in three.links("service/lead")}
    assert len(owners) == 1


def test_state_9_who_was_told_apart_is_not_asked_about_again(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    three.service.create("lead", first="Ann", last="Horvat", mail="a@b.example", firm="Zub")
    three.settle()
    row = next(r for r in three.service.alive("lead") if r.values["mail"] == "a@b.example")
    three.service.update("lead", row.id, mail="ann@plavi.example")
    three.settle()
    (question,) = [issue for issue in three.issues() if issue.what == "identity"]
    operations.resolve(three.face(), question.id, Verdict("different"), "somebody")
    three.sales.update("Lead", ann, title="Buyer")
    three.settle()
    assert len({link.entity_id for link in three.links("service/lead")}) == 2


def test_practice_2_3_who_carries_the_key_of_a_surplus_record_is_not_created(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Ivo", last="Babic", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    three.sales.undelete("Lead", other)  # its records in the others are surplus ones of Ann
    three.settle()
    assert len(three.service.alive("lead")) == 2
    assert "possible duplicate" in three.whats()


def test_practice_2_5_a_customer_on_its_way_covers_the_lead(three: Three) -> None:
    three.cycle()
    three.profiles.down = True
    three.service.create("contact", **PERSON)
    three.cycle()
    three.sales.create("Lead", **ANN)
    three.cycle()
    three.profiles.down = False
    three.settle()
    assert only(three.profiles.alive("person")).values["type"] == "CUSTOMER"


def test_practice_2_5_the_lead_is_created_when_its_cover_goes(three: Three) -> None:
    three.deletes(Kind.CUSTOMER, "propagate")
    contact = three.sales.create("Contact", **PERSON)
    three.settle()
    three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.delete("Contact", contact)
    three.settle()
    assert only(three.profiles.alive("person")).values["type"] == "LEAD"


def test_practice_2_5_a_customer_whose_address_a_lead_holds_is_told(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    three.service.create("contact", **PERSON)
    three.settle()
    assert three.whats() == ["address held by a lead"]
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, type="CUSTOMER")
    three.settle()
    assert three.whats() == ["type changed"]
    three.profiles.update("person", profile.id, title="Buyer")
    three.settle()
    assert only(three.service.alive("contact")).values["title"] == "Buyer"


def test_state_9_decisions_last(three: Three) -> None:
    eve = three.sales.create("Lead", first="Eve", last="Novak", firm="B")
    three.settle()
    there = only(three.service.alive("lead")).id
    names = (f"service/lead:{there}", f"sales/Lead:{eve}")
    operations.keep_apart(three.face(), *names, "somebody")
    operations.link(three.face(), *names, "somebody")  # the last word counts
    three.service.merge("lead", three.service.create("lead", last="Ewing", firm="C"), there)
    three.settle()
    three.service.undelete("lead", there)  # with nothing but the decision to tell whose it is
    three.settle()
    owners = {link.entity_id for link in (*three.links("service/lead"), *three.links("sales/Lead"))}
    assert len(owners) == 1


def test_i_11_a_create_found_by_its_key_is_found_by_its_address(three: Three) -> None:
    three.world.sources = [one for one in three.world.sources if one.instance != "profiles"]
    number = three.sales.create("Lead", **ANN)
    three.service.lost_answers = 1
    three.settle()
    three.sales.delete("Lead", number)
    three.settle()
    three.service.create("lead", **ANN)  # the first one alone carries its keys now
    three.settle()
    assert "identity" in three.whats()


def test_practice_2_3_a_held_create_goes_when_the_look_alike_is_corrected(three: Three) -> None:
    three.world.sources = [one for one in three.world.sources if one.instance != "profiles"]
    three.sales.create("Lead", **ANN)
    alike = three.service.create("lead", first="Ana", last="Horvat", firm="Plavi d.o.o.")
    three.settle()
    assert len(three.service.alive("lead")) == 1
    three.service.update("lead", alike, first="Eve", last="Novak", firm=None)
    three.settle()
    assert len(three.service.alive("lead")) == 2
    assert three.whats() == ["required value missing"]


def test_practice_2_5_a_lead_on_its_way_holds_the_address(three: Three) -> None:
    three.cycle()
    three.profiles.rejects = {"type": "LEAD"}
    three.sales.create("Lead", **ANN)
    three.settle()
    three.service.create("contact", **PERSON)
    three.settle()
    assert "address held by a lead" in three.whats()


def test_state_9_a_question_about_two_people_ends_with_one_of_them(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN | {"mail": "a@b.example", "firm": "Zub"})
    three.settle()
    three.sales.update("Lead", ann, mail="a@b.example")
    three.settle()
    assert "identity" in three.whats()
    for system, name in ((three.sales, "Lead"), (three.service, "lead")):
        for row in system.alive(name):
            system.delete(name, row.id)
    three.settle()
    assert "identity" not in three.whats()


def test_state_8_who_carries_on_after_a_merge_has_the_place_before_others(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    three.settle()
    double = three.sales.create("Lead", **ANN)
    into = three.sales.create("Lead", last="Horvatova", firm="Plavi")
    three.sales.merge("Lead", into, ann)
    three.settle()
    states = {link.record_id: link.state for link in three.links("sales/Lead")}
    assert (states[into], states[double]) == (LinkState.LIVE, LinkState.ASKED)


def test_practice_2_4_who_is_linked_by_another_key_is_asked_about_no_more(three: Three) -> None:
    mobile = "091 555 0104"
    three.sales.create("Lead", **ANN, mobile=mobile)
    double = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.create("lead", first="Ann", last="Horvat", firm="Zub", mobile=mobile)
    three.settle()
    (question,) = [issue for issue in three.issues() if issue.what == "identity"]
    asked = next(link for link in three.links("sales/Lead") if link.record_id == double)
    assert (question.link_id, asked.state) == (asked.id, LinkState.ASKED)


def test_practice_2_1_full_name_with_company_links_customers(three: Three) -> None:
    at_sales = three.sales.create("Account", name="Plavi d.o.o.", vat="HR1")
    at_service = three.service.create("account", name="Plavi", vat="HR1")
    three.sales.create("Contact", first="Ann", last="Horvat", account=at_sales)
    three.service.create("contact", first="Ann", last="Horvat", account=at_service)
    three.settle()
    assert len(three.sales.alive("Contact")) == len(three.service.alive("contact")) == 1
    assert len(three.profiles.alive("person")) == 1


def test_practice_2_3_who_resembles_a_colleague_is_not_created(three: Three) -> None:
    at_sales = three.sales.create("Account", name="Plavi d.o.o.", vat="HR1")
    at_service = three.service.create("account", name="Plavi", vat="HR1")
    three.sales.create("Contact", first="Ann", last="Horvat", account=at_sales)
    three.service.create("contact", first="Anne", last="Horwat", account=at_service)
    three.settle()
    assert len(three.sales.alive("Contact")) == len(three.service.alive("contact")) == 1
    assert "possible duplicate" in three.whats()


def test_keys_follow_a_person_to_another_company(three: Three) -> None:
    old, new = (three.sales.create("Account", name=name, vat=name) for name in ("Old", "New"))
    ann = three.sales.create("Contact", first="Ann", last="Horvat", account=old)
    three.settle()
    three.sales.update("Account", old, name="Older")
    three.sales.update("Contact", ann, account=new)
    three.settle()
    for company in ("Old", "Older"):
        there = three.service.create("account", name=company, vat=f"{company} 2")
        three.service.create("contact", first="Ann", last="Horvat", account=there)
    three.settle()
    assert len(three.sales.alive("Contact")) == 3


def test_practice_2_6_companies_of_one_name_are_an_issue_where_names_are_unique(
    three: Three,
) -> None:
    three.sales.create("Account", name="Plavi", vat="HR1")
    three.settle()
    three.profiles.rejects = {"name": "Plavi"}  # it has one owner there
    three.sales.create("Account", name="Plavi", vat="HR2")
    three.settle()
    assert len(three.service.alive("account")) == 2
    assert len(three.profiles.alive("company")) == 1
    issue = only(three.issues())
    assert (issue.what, issue.source_id) == ("rejected", three.source("profiles/company").id)


def test_practice_2_1_branches_under_one_number_are_told_apart_by_their_town() -> None:
    number = {"name": "Plavi d.o.o.", "vat": "HR1", "website": "plavi.example"}
    zagreb, split = ({**number, "address": {"city": city}} for city in ("Zagreb", "Split"))
    for rule in (matching.VAT, matching.DOMAIN):
        assert not matching.agrees("company", rule, zagreb, split)
        assert matching.agrees("company", rule, zagreb, number)
    assert resemblance.resembles("company", zagreb, split)  # one that has moved, or a branch
    assert not resemblance.resembles("company", zagreb, {**split, "vat": "HR2"})


def test_practice_2_2_what_is_no_key_is_settable(three: Three) -> None:
    three.creates(Kind.LEAD, "sales", "link-only")
    three.creates(Kind.LEAD, "service", "link-only")
    porter = {"first": "Ann", "last": "Horvat", "mail": "porta@plavi.example"}
    three.sales.create("Lead", **porter, firm="Plavi")
    three.world.no_keys = SHIPPED.with_more(mailboxes=["Porta"])
    for source in three.world.sources:
        source.keyed = three.world.no_keys.mark
    three.settle()
    three.service.create("lead", **porter, firm="Zub")
    three.settle()
    assert owner(three, "sales/Lead") != owner(three, "service/lead")


def test_practice_2_2_what_becomes_a_key_is_looked_at_again(three: Three) -> None:
    three.creates(Kind.LEAD, "sales", "link-only")
    office = {"first": "Ann", "last": "Horvat", "mail": "office@plavi.example"}
    three.sales.create("Lead", **office, firm="Plavi")
    three.service.create("lead", **office, firm="Zub")
    three.settle()
    assert owner(three, "sales/Lead") != owner(three, "service/lead")
    three.world.no_keys = SHIPPED.with_more(without=["office"])
    for source in three.world.sources:
        source.keyed = three.world.no_keys.mark
    three.settle()
    assert "identity" in three.whats()  # both are persons of their own already


def owner(three: Three, name: str) -> int | None:
    found: int | None = only(three.links(name)).entity_id
    return found
