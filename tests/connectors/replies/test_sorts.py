"""Refusals sorted by what a person can do about them, as each vendor words them over HTTP."""

import json
from typing import Any

import pytest

from connectors import Outcome, Refusal, Result
from tests.connectors.front import wire
from tests.connectors.replies.place import Place

SALESFORCE = {
    "DUPLICATES_DETECTED": Refusal.DUPLICATE,
    "DUPLICATE_VALUE": Refusal.DUPLICATE,
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Refusal.VALIDATION,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Refusal.VALIDATION,
    "REQUIRED_FIELD_MISSING": Refusal.REQUIRED,
    "STRING_TOO_LONG": Refusal.TOO_LONG,
    "INSUFFICIENT_ACCESS_OR_READONLY": Refusal.PERMISSION,
    "INVALID_FIELD_FOR_INSERT_UPDATE": Refusal.PERMISSION,
    "ENTITY_IS_LOCKED": Refusal.LOCKED,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Refusal.CHOICE,
    "INVALID_EMAIL_ADDRESS": Refusal.FORM,
    "SOMETHING_NEW": Refusal.OTHER,
}
DYNAMICS = {
    "0x80040333": Refusal.DUPLICATE,
    "0x80040265": Refusal.VALIDATION,
    "0x80044331": Refusal.TOO_LONG,
    "0x80048306": Refusal.PERMISSION,
    "0x8004f507": Refusal.PERMISSION,
    "0x80040519": Refusal.CONVERTED,
    "0x8004431a": Refusal.CHOICE,
    "0x80048d19": Refusal.FORM,
    "0x8ffffff0": Refusal.OTHER,
}
INFOBIP = {
    (400, "BAD_REQUEST", "lastName: size must be between 1 and 255"): Refusal.TOO_LONG,
    (400, "BAD_REQUEST", "lastName must not be blank"): Refusal.REQUIRED,
    (400, "BAD_REQUEST", "birthDate is no date"): Refusal.FORM,
}


def refused(place: Place, status: int, body: Any) -> Outcome:
    number = place.bench.create(1)
    place.front.answer(place.bench.updates, wire(status, json.dumps(body).encode()))
    outcome = place.update(number)
    assert outcome.result is Result.REJECTED
    return outcome


@pytest.mark.parametrize("code", SALESFORCE)
def test_peers_65_what_salesforce_refuses_is_sorted(sales: Place, code: str) -> None:
    body = [{"errorCode": code, "message": "x", "fields": []}]
    assert refused(sales, 400, body).refusal is SALESFORCE[code]


@pytest.mark.parametrize("code", DYNAMICS)
def test_peers_65_what_dynamics_refuses_is_sorted(service: Place, code: str) -> None:
    body = {"error": {"code": code, "message": "x"}}
    assert refused(service, 400, body).refusal is DYNAMICS[code]


@pytest.mark.parametrize("told", INFOBIP, ids=lambda told: told[2])
def test_peers_65_what_infobip_refuses_is_sorted(own: Place, told: tuple[int, str, str]) -> None:
    status, code, message = told
    assert (
        refused(own, status, {"errorCode": code, "errorMessage": message}).refusal
        is (INFOBIP[told])
    )


def test_peers_24_salesforce_names_the_records_that_its_rule_has_met(sales: Place) -> None:
    met = {"matchRecords": [{"record": {"Id": "00Q000000000007AAA"}}]}
    error = {
        "errorCode": "DUPLICATES_DETECTED",
        "message": "Use one of these records?",
        "duplicateResult": {"matchResults": [met, met]},
    }
    assert refused(sales, 400, [error]).found == ("00Q000000000007AAA",)


def test_peers_24_salesforce_names_the_record_that_has_a_unique_value(sales: Place) -> None:
    words = "duplicate value found: Tax__c duplicates value on record with id: 00Q000000000008"
    outcome = refused(sales, 400, [{"errorCode": "DUPLICATE_VALUE", "message": words}])
    assert outcome.found == ("00Q000000000008",)


def test_peers_24_infobip_names_the_profile_that_has_an_address(own: Place) -> None:
    """Looked up by the connector: the answer says only that somebody has it."""
    number = own.bench.create(1)
    (outcome,) = own.create(1)
    assert (outcome.refusal, outcome.found) == (Refusal.DUPLICATE, (number,))
