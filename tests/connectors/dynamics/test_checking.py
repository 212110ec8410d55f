"""The Dynamics connector against the simulator: what it finds out before it works."""

from dataclasses import replace
from typing import Any

import pytest

from connectors import Action, FieldType, Finding, Level, Selection
from tests.connectors.dynamics_org import CONTACT, LEAD
from tests.connectors.processes import Server


def findings(service: Any, *selections: Selection) -> list[Finding]:
    """What was found beyond whose the records will be."""
    first: Finding
    others: list[Finding]
    first, *others = service.check(selections).findings
    assert "application user" in first.what
    assert all(finding.remedy for finding in (first, *others))
    return others


def test_practice_6_2_a_sound_environment_is_told_with_owner_and_organization(
    org: Server, service: Any
) -> None:
    checked = service.check([LEAD, CONTACT, Selection("account", ("name",))])
    (owner,) = checked.findings
    assert (owner.level, "Simulated unit" in owner.what) == (Level.WARNING, True)
    assert checked.name == "Simulated Dataverse"
    assert checked.identity == service.check([]).identity


@pytest.mark.parametrize(
    ("kind", "sandbox"), [("Customer", False), ("CustomerTest", True), ("Placeholder", None)]
)
def test_practice_1_5_a_sandbox_is_told(
    org: Server, service: Any, kind: str, sandbox: bool | None
) -> None:
    org.post("switches", organization_type=kind)
    assert service.check([]).sandbox is sandbox


@pytest.mark.parametrize(
    ("switches", "selection", "level", "words"),
    [
        ({"missing": ["lead"]}, LEAD, Level.ERROR, "no table lead"),
        ({}, Selection("incident", ("title",)), Level.ERROR, "no table incident"),
        ({"untracked": ["lead"]}, LEAD, Level.ERROR, "change tracking"),
        ({"unconditional": ["lead"]}, LEAD, Level.ERROR, "condition"),
        ({}, replace(LEAD, fields=("nope",)), Level.ERROR, "lead.nope does not exist"),
        ({}, replace(LEAD, fields=("fullname",)), Level.WARNING, "lead.fullname can only be read"),
        ({"secured": ["lead.jobtitle"]}, LEAD, Level.WARNING, "lead.jobtitle is secured"),
        ({"denied": ["Read lead"]}, LEAD, Level.ERROR, "may not read every lead"),
        ({"denied": ["Read contact"]}, LEAD, Level.ERROR, "what leads become is unseen"),
        ({"denied": ["Create lead"]}, LEAD, Level.WARNING, "nothing is created"),
        ({"denied": ["Write lead"]}, LEAD, Level.WARNING, "nothing is updated"),
        ({"denied": ["Create contact"]}, LEAD, Level.OK, "no lead is qualified"),
        ({"denied": ["AppendTo account"]}, CONTACT, Level.WARNING, "lacks AppendTo on every acc"),
    ],
)
def test_what_is_wrong_is_a_finding_with_its_remedy(
    org: Server,
    service: Any,
    switches: dict[str, Any],
    selection: Selection,
    level: Level,
    words: str,
) -> None:
    org.post("switches", **switches)
    (found,) = findings(service, selection)
    assert (found.level, words in found.what) == (level, True)


def test_a_secured_column_with_permission_is_sound(org: Server, service: Any) -> None:
    org.post("switches", secured=["lead.jobtitle"], granted=["lead.jobtitle"])
    assert findings(service, LEAD) == []


def test_practice_3_4_a_missing_lead_table_is_told_with_its_reason(
    org: Server, service: Any
) -> None:
    org.post("switches", missing=["lead"])
    (found,) = findings(service, LEAD)
    assert "Dynamics 365 Sales" in found.remedy
    assert [one.name for one in service.describe()] == ["contact", "account"]


def test_privileges_that_cannot_be_read_are_a_finding(org: Server, service: Any) -> None:
    refusal = {"error": {"code": "0x80040220", "message": "is missing prvReadUser privilege"}}
    plan = {"method": "GET", "path": "RetrieveUserPrivileges", "times": 2}
    org.post("faults", **plan, effect={"status": 403, "body": refusal})
    assert all(Action.CREATE in one.actions for one in service.describe())
    (found,) = findings(service, LEAD)
    assert (found.level, "privileges" in found.what) == (Level.WARNING, True)


def test_columns_are_described_as_this_environment_defines_them(service: Any) -> None:
    lead, contact, account = (one.fields for one in service.describe())
    assert lead["subject"] == FieldType("string", 300, required=True)
    assert lead["emailaddress1"] == FieldType("email", 100)
    assert lead["mobilephone"].length == 20
    assert contact["mobilephone"].length == 50
    assert lead["leadsourcecode"].choices == tuple(range(1, 11))
    assert lead["statuscode"].type == "choice"
    assert contact["birthdate"].type == "date"
    assert contact["createdon"] == FieldType("datetime", createable=False, updateable=False)
    assert account["revenue"].type == "number"
    assert contact["_parentcustomerid_value"] == FieldType("reference")
    # a lookup that we cannot write is not offered for writing
    assert not contact["_masterid_value"].updateable
    assert "parentcustomerid" not in contact


def test_only_what_the_user_may_do_is_offered(org: Server, service: Any) -> None:
    org.post("switches", denied=["Create lead", "Delete lead", "Write account"])
    lead, contact, account = (one.actions for one in service.describe())
    assert lead == {Action.UPDATE, Action.DEACTIVATE, Action.CONVERT}
    assert contact == {Action.CREATE, Action.UPDATE, Action.DEACTIVATE, Action.DELETE}
    assert account == {Action.CREATE, Action.DELETE}


def test_the_shipped_mapping_names_only_columns_that_exist(service: Any) -> None:
    types = {one.name: one.fields for one in service.describe()}
    for name, mapping in type(service).Mappings.items():
        for entry in mapping["fields"].values():
            natives = [entry] if isinstance(entry, str) else list(entry.get("parts", {}).values())
            natives = natives or [entry["field"]]
            assert set(natives) <= set(types[name]), (name, entry)
