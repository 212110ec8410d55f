"""The lines with which a user of ``demo --serve`` reads and edits a lead of each system."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from connectors.replies import json_of
from sync_engine.demo.systems import SECRETS, Systems


def try_lines(systems: Systems, ca_file: str) -> Iterator[str]:
    """Lines for a shell, with tokens that are good for an hour or two."""
    address = systems.addresses
    sales = _signed_in(systems, "sales", "/services/oauth2/token", "salesforce")
    data = "/services/data/v62.0"
    query = {"q": "SELECT Id FROM Lead WHERE IsConverted = false LIMIT 1"}
    lead = _first(systems, "sales", f"{data}/query", "records", query, sales)["Id"]
    yield from _both(
        f"curl -s --cacert {ca_file} -H 'Authorization: {sales}'",
        f"{address['sales']}{data}/sobjects/Lead/{lead}",
        '{"Title": "Edited in Salesforce"}',
    )
    scope = {"scope": f"{address['service']}/.default"}
    service = _signed_in(systems, "service", "/demo-tenant/oauth2/v2.0/token", "dynamics", scope)
    api = "/api/data/v9.2/leads"
    row = _first(systems, "service", api, "value", {"$select": "leadid"}, service)
    yield from _both(
        f"curl -s --cacert {ca_file} -H 'Authorization: {service}'",
        f"{address['service']}{api}({row['leadid']})",
        '{"address1_city": "Edited in Dynamics"}',
        " -H 'If-Match: *'",
    )
    key = f"App {SECRETS['infobip']}"
    person = _first(systems, "profiles", "/people/2/persons", "persons", {"limit": "1"}, key)
    where = f"{address['profiles']}/people/2/persons?type=ID&identifier={person['id']}"
    yield from _both(
        f"curl -s -H 'Authorization: {key}'",
        where,
        '{"middleName": "Edited in Customer Profiles"}',
    )
    acts = f'{{"acts": [{{"action": "convert", "object": "Lead", "id": "{lead}"}}]}}'
    yield (
        f"curl -s --cacert {ca_file} -H 'Content-Type: application/json' -d '{acts}' "
        f"'{address['sales']}/_control/act'   # converts that lead, as a user of Salesforce would"
    )


def _both(curl: str, where: str, change: str, condition: str = "") -> Iterator[str]:
    yield f"{curl} '{where}'"
    told = "-w '%{http_code}\\n'"
    head = f"{curl} {told} -X PATCH{condition} -H 'Content-Type: application/json'"
    yield f"{head} -d '{change}' '{where}'"


def _signed_in(
    systems: Systems, system: str, path: str, secret: str, more: Mapping[str, str] | None = None
) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": "demo-client",
        "client_secret": SECRETS[secret],
        **(more or {}),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    content = str(httpx.QueryParams(form))
    answer = systems.clients[system].send("POST", path, headers=headers, content=content)
    return f"Bearer {json_of(answer)['access_token']}"


def _first(
    systems: Systems, system: str, path: str, rows: str, query: Mapping[str, str], authority: str
) -> dict[str, Any]:
    headers = {"Authorization": authority, "Prefer": "odata.maxpagesize=1"}
    answer = systems.clients[system].send("GET", path, params=query, headers=headers)
    found: dict[str, Any] = json_of(answer)[rows][0]
    return found
