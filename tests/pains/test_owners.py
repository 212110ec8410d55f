"""Owners through the whole installation, over HTTP."""

from tests.pains.site import ANN, BOB, Site

EVA = {"sales": "005000000000002AAA", "service": "00000000-0000-0000-0000-000000000003"}
QUEUE, TEAM = "00G000000000009AAA", "00000000-0000-0000-0000-000000000004"


def owner(site: Site, system: str, last: str) -> str:
    (row,) = [one for one in site.rows(system, "lead") if one["last"] == last]
    native = {"sales": "OwnerId", "service": "_ownerid_value"}[system]
    return str(row["whole"][native])


def test_practice_4_5_owners_follow_by_address_and_by_table(site: Site) -> None:
    table = {"inbound": "queue:Inbound"}
    site.side("leads", "sales", fields={"owner": {"field": "OwnerId", "values": table}})
    there = {"field": "_ownerid_value", "fallback": "eva@plavi.example"}
    there["values"] = {"inbound": "team:First line"}  # type: ignore[assignment]  # of YAML
    site.side("leads", "service", fields={"owner": there})
    site.restart()
    ann = site.enter("sales", "lead", **ANN)
    site.enter("service", "lead", **BOB)  # by our own user there, as the simulator has it
    site.settle()
    assert owner(site, "service", "Horvat") == EVA["service"]
    site.systems["sales"].act("update", "Lead", id=ann, values={"OwnerId": QUEUE})
    site.settle()
    assert owner(site, "service", "Horvat") == TEAM
    profile = next(one for one in site.rows("profiles", "lead") if one["last"] == "Horvat")
    assert "owner" not in str(profile["whole"]).lower()
    assert site.issues() == {}
