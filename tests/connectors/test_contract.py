"""The three shipped connectors keep the contract, over HTTP, against servers of their own."""

from collections.abc import Iterator

import pytest

from connectors.testing.bench import Bench
from connectors.testing.contract import ConnectorContract
from tests.connectors.benches import DynamicsBench, InfobipBench, SalesforceBench
from tests.connectors.processes import Server, profiles, simulator


@pytest.fixture(scope="module")
def salesforce(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("salesforce", tmp_path_factory.mktemp("salesforce")) as running:
        yield running


@pytest.fixture(scope="module")
def dataverse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("dataverse", tmp_path_factory.mktemp("dataverse")) as running:
        yield running


@pytest.fixture(scope="module")
def customer_profiles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with profiles(tmp_path_factory.mktemp("profiles")) as running:
        yield running


class TestSalesforce(ConnectorContract):
    @pytest.fixture
    def bench(self, salesforce: Server) -> Iterator[Bench]:
        bench = SalesforceBench(salesforce)
        yield bench
        bench.connector.close()


class TestDynamics(ConnectorContract):
    @pytest.fixture
    def bench(self, dataverse: Server) -> Iterator[Bench]:
        bench = DynamicsBench(dataverse)
        yield bench
        bench.connector.close()


class TestInfobip(ConnectorContract):
    @pytest.fixture
    def bench(self, customer_profiles: Server) -> Iterator[Bench]:
        bench = InfobipBench(customer_profiles)
        yield bench
        bench.connector.close()
