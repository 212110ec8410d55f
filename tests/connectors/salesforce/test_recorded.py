"""The Salesforce connector on answers played back from a cassette, through the real HTTP stack."""

from dataclasses import replace
from pathlib import Path

import vcr

from connectors import Budget, Selection, registry
from connectors.http import GuardedTransport
from tests.connectors.processes import runtime

CASSETTES = Path(__file__).parents[2] / "fixtures" / "salesforce" / "cassettes"
HOST = "acme.my.salesforce.com"


def test_a_recorded_account_is_read_after_the_login() -> None:
    budgets: list[Budget] = []
    connector = registry.load("salesforce")
    auth = {"flow": "client_credentials", "client_id": "app", "client_secret": "not-a-secret"}
    settings = connector.Settings(domain=HOST, auth=auth, allow_host=[HOST], api_version="62.0")
    player = vcr.VCR(record_mode="none", match_on=["method", "host", "path"])
    with player.use_cassette(str(CASSETTES / "one_account.yaml")) as played:
        played_back = replace(
            runtime(budgets.append), transport=lambda ca_file: GuardedTransport(ca_file, [HOST])
        )
        sales = connector.open(settings, played_back)
        (record,) = sales.fetch(Selection("Account", ("Name",)), "id", ["0015500001QdQWaAAN"])
        sales.close()
    assert dict(record.values) == {"Name": "Sitwell-Bluth"}
    assert record.key is None
    assert budgets == [Budget(17, 15_000), Budget(18, 15_000)]
    assert played.play_count == 3
