"""Choices that an organization makes of its own: record types and picklists of places."""

from tests.pains.site import ANN, BOB, Site

PARTNER, CLIENT = "012000000000001AAA", "012000000000002AAA"
RULE = 'job_title == "Partner" ? "Partner" : "Client"'


def test_practice_4_6_a_rule_chooses_the_record_type_of_what_is_created(site: Site) -> None:
    sales = site.systems["sales"]
    sales.act("alter", "Lead", field="RecordTypeId", to={"type": "reference", "nillable": True})
    infos = [
        {"recordTypeId": number, "developerName": name, "available": True, "master": False}
        for number, name in ((PARTNER, "Partner"), (CLIENT, "Client"))
    ]
    sales.act("alter", "Lead", to={"recordTypeInfos": infos})
    site.side("leads", "sales", on_create={"RecordTypeId": {"rule": RULE}})
    site.restart()
    ann = site.enter("service", "lead", **ANN, title="Partner")
    site.enter("service", "lead", **BOB)
    site.settle()

    def types() -> dict[str, str]:
        rows = site.rows("sales", "lead")
        return {row["last"]: row["whole"]["RecordTypeId"] for row in rows}

    assert types() == {"Horvat": PARTNER, "Novak": CLIENT}
    site.edit("service", "lead", ann, title="Buyer")
    site.settle()
    assert types() == {"Horvat": PARTNER, "Novak": CLIENT}
    assert site.issues() == {}


def test_practice_4_6_a_choice_that_its_record_type_has_not_is_held(site: Site) -> None:
    sales = site.systems["sales"]
    sales.act("alter", "Lead", field="RecordTypeId", to={"type": "reference", "nillable": True})
    info = {"recordTypeId": CLIENT, "developerName": "Client", "available": True, "master": False}
    sales.act("alter", "Lead", to={"recordTypeInfos": [info]})
    sales.act("alter", "Lead", field="LeadSource", to={"restrictedPicklist": True})
    sales.post("switches", offered={CLIENT: {"LeadSource": ["Other"]}})
    site.side("leads", "sales", on_create={"RecordTypeId": "Client"})
    site.restart()
    site.enter("service", "lead", **ANN, source=8)
    site.settle()
    row = site.row("sales", "lead")
    assert (row["source"], row["whole"]["RecordTypeId"]) == (None, CLIENT)
    assert set(site.issues()) == {"does not fit"}
