"""References between records: resolved once the other one is known, on every side."""

from datetime import timedelta

from sync_engine.models import Kind
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PERSON = {name: value for name, value in ANN.items() if name != "firm"}


def test_state_10_a_contact_read_before_its_company_gets_it(three: Three) -> None:
    three.cycle()
    account = three.sales.create("Account", name="Plavi", vat="HR1")
    three.sales.create("Contact", **PERSON, account=account)
    for _ in range(3):
        three.cycle(Kind.CUSTOMER)
    three.settle()
    three.cycle()
    created = only(three.service.alive("account"))
    assert only(three.service.alive("contact")).values["account"] == created.id


def test_state_10_a_company_that_was_asked_about_reaches_its_people(three: Three) -> None:
    account = three.sales.create("Account", name="Plavi", vat="HR1")
    double = three.sales.create("Account", name="Plavi", vat="HR1")
    three.sales.create("Contact", **PERSON, account=account)
    three.settle()
    assert only(three.service.alive("contact")).values["account"] is None
    three.sales.update("Account", double, vat="HR2", name="Zeleni")
    three.sales.update("Account", account, name="Plavi d.o.o.")
    three.settle()
    created = next(r for r in three.service.alive("account") if r.values["vat"] == "HR1")
    assert only(three.service.alive("contact")).values["account"] == created.id


def test_state_10_a_company_created_later_reaches_its_people(three: Three) -> None:
    three.cycle()
    person = {"type": "CUSTOMER", "first": "Ann", "last": "Horvat", "mails": ["ann@plavi.example"]}
    company = three.profiles.create("company", vat="HR1")
    three.profiles.create("person", **person, company=company)
    three.settle()  # a company without a name is created nowhere
    assert only(three.service.alive("contact")).values["account"] is None
    three.profiles.update("company", company, name="Plavi")
    three.settle()
    created = only(three.service.alive("account"))
    assert only(three.service.alive("contact")).values["account"] == created.id


def test_state_10_merged_companies_are_followed(three: Three) -> None:
    plavi = three.sales.create("Account", name="Plavi", vat="HR1")
    zub = three.sales.create("Account", name="Zub", vat="HR2")
    ann = three.sales.create("Contact", **PERSON, account=zub)
    three.settle()
    three.sales.merge("Account", plavi, zub)
    three.settle()
    before = three.written()
    three.sales.update("Contact", ann, account=plavi)  # as the system does with a merge
    three.settle()
    assert three.written() == before  # it is the same company
    three.sales.create("Contact", first="Eve", last="Novak", mail="e@n.example", account=zub)
    three.settle()
    kept = next(r for r in three.service.alive("account") if r.values["vat"] == "HR1")
    eve = next(r for r in three.service.alive("contact") if r.values["last"] == "Novak")
    assert eve.values["account"] == kept.id


def test_state_10_a_create_waits_for_that_of_its_company(three: Three) -> None:
    three.cycle()
    three.service.rejects = {"name": "Plavi"}
    account = three.sales.create("Account", name="Plavi", vat="HR1")
    three.sales.create("Contact", **PERSON, account=account)
    three.cycle()
    assert three.service.alive("contact") == []
    three.clock.time += timedelta(hours=2)
    three.settle()
    assert only(three.service.alive("contact")).values["account"] is None


def test_state_5_a_reference_that_was_sent_is_no_edit_when_the_answer_was_lost(
    three: Three,
) -> None:
    plavi = three.sales.create("Account", name="Plavi", vat="HR1")
    three.sales.create("Account", name="Zub", vat="HR2")
    three.settle()
    contact = three.sales.create("Contact", **PERSON, account=plavi)
    three.service.lost_answers = 1
    three.cycle()
    landed = only(three.service.alive("contact"))
    three.service.update("contact", landed.id, account=None)  # entered since
    three.settle()
    assert landed.values["account"] is None
    assert three.sales.row("Contact", contact).values["account"] is None


def test_state_8_a_company_known_as_a_reference_is_the_one_that_was_created(three: Three) -> None:
    three.cycle()
    three.service.lost_answers = 1
    three.sales.create("Account", name="Plavi", vat="HR1")
    three.cycle()
    account = only(three.service.alive("account"))
    three.service.create("contact", **PERSON, account=account.id)
    for _ in range(2):
        three.cycle(Kind.CUSTOMER)
    three.settle()
    assert len(three.service.alive("account")) == len(three.sales.alive("Account")) == 1
    created = only(three.sales.alive("Account"))
    assert only(three.sales.alive("Contact")).values["account"] == created.id


def test_state_10_a_company_whose_double_goes_reaches_its_people(three: Three) -> None:
    account = three.sales.create("Account", name="Plavi", vat="HR1")
    double = three.sales.create("Account", name="Plavi", vat="HR1")
    three.sales.create("Contact", **PERSON, account=account)
    three.settle()
    assert only(three.service.alive("contact")).values["account"] is None
    three.sales.delete("Account", double)
    three.settle()
    created = only(three.service.alive("account"))
    assert only(three.service.alive("contact")).values["account"] == created.id


def test_state_10_a_company_that_is_linked_reaches_its_people(three: Three) -> None:
    plavi = {"name": "Plavi", "vat": "HR1"}
    account, double = (three.sales.create("Account", **plavi) for _ in range(2))
    there = three.service.create("account", **plavi)
    three.profiles.create("company", **plavi)
    three.sales.create("Contact", **PERSON, account=account)
    three.settle()
    assert only(three.service.alive("contact")).values["account"] is None
    three.sales.delete("Account", double)
    three.settle()
    assert only(three.service.alive("contact")).values["account"] == there


def test_state_10_a_side_that_was_down_gets_the_company_later(three: Three) -> None:
    three.world.sources = [one for one in three.world.sources if one.instance != "sales"]
    three.cycle()
    person = {"type": "CUSTOMER", "first": "Ann", "last": "Horvat", "mails": ["ann@plavi.example"]}
    company = three.profiles.create("company", vat="HR1")
    three.profiles.create("person", **person, company=company)
    three.settle()  # a company without a name is created nowhere
    three.service.down = True
    three.profiles.update("company", company, name="Plavi")
    three.cycle()
    three.service.down = False
    three.settle()
    three.cycle()
    created = only(three.service.alive("account"))
    assert only(three.service.alive("contact")).values["account"] == created.id


def test_state_10_a_company_that_is_gone_is_no_news(three: Three) -> None:
    account = three.sales.create("Account", name="Plavi", vat="HR1")
    contact = three.sales.create("Contact", **PERSON, account=account)
    three.settle()
    three.sales.delete("Account", account)
    three.sales.update("Contact", contact, title="Buyer")
    three.settle()
    there = only(three.service.alive("contact"))
    assert there.values["title"] == "Buyer"
    assert there.values["account"] == only(three.service.alive("account")).id


def test_state_10_who_is_created_after_a_merge_gets_the_company_that_is_left(three: Three) -> None:
    plavi = three.sales.create("Account", name="Plavi", vat="HR1")
    zub = three.sales.create("Account", name="Zub", vat="HR2")
    three.service.rejects = {"last": "Horvat"}
    ann = three.sales.create("Contact", **PERSON, account=zub)
    three.settle()
    three.sales.merge("Account", plavi, zub)
    three.settle()
    three.service.rejects = {}
    three.sales.update("Contact", ann, last="Kralj")
    three.settle()
    kept = next(r for r in three.service.alive("account") if r.values["vat"] == "HR1")
    assert only(three.service.alive("contact")).values["account"] == kept.id


def test_a_reference_follows_its_company(three: Three) -> None:
    account = three.sales.create("Account", name="Plavi d.o.o.", vat="HR1")
    person = {k: v for k, v in ANN.items() if k != "firm"}
    three.sales.create("Contact", **person, account=account)
    three.settle()
    created = only(three.service.alive("account"))
    assert only(three.service.alive("contact")).values["account"] == created.id
    company = only(three.profiles.alive("company"))
    assert only(three.profiles.alive("person")).values["company"] == company.id


def test_a_change_of_company_travels(three: Three) -> None:
    first = three.sales.create("Account", name="Plavi", vat="HR1")
    three.sales.create("Account", name="Zeleni", vat="HR2")
    person = {k: v for k, v in ANN.items() if k != "firm"}
    three.sales.create("Contact", **person, account=first)
    three.settle()
    contact = only(three.service.alive("contact"))
    green = next(r for r in three.service.alive("account") if r.values["name"] == "Zeleni")
    three.service.update("contact", contact.id, account=green.id)
    three.settle()
    sales = only(three.sales.alive("Contact"))
    assert three.sales.row("Account", sales.values["account"]).values["name"] == "Zeleni"
    three.service.update("contact", contact.id, account=None)
    three.settle()
    assert only(three.sales.alive("Contact")).values["account"] is None
    assert only(three.profiles.alive("person")).values["company"] is None
