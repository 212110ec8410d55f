"""What the contract suite, and others, must know of the three vendors' servers."""

from typing import Any, ClassVar

from connectors import Action, Runtime, Selection, Values, registry
from connectors.testing.bench import Bench
from tests.connectors.processes import KEY, Server, runtime


class ServerBench(Bench):
    """A vendor's server with its control face."""

    plugin: ClassVar[str]
    converts: ClassVar[tuple[str, str]]  #: likewise of a conversion
    creates: ClassVar[tuple[str, str]]  #: method and path of a create, for planned faults
    lists: ClassVar[tuple[str, str]]  #: of a page of a listing
    fetches: ClassVar[tuple[str, str]]  #: of records by id
    updates: ClassVar[tuple[str, str]]
    first_page: ClassVar[int] = 0  #: calls to ``lists`` before the first page is asked for
    condition: ClassVar[str] = ""  #: the header that holds an update against a version
    settings: ClassVar[dict[str, Any]] = {}

    def __init__(self, server: Server, given_runtime: Runtime | None = None) -> None:
        server.post("reset")
        self.server = server
        connector = registry.load(self.plugin)
        given = self.connection() | self.settings
        settings = connector.Settings(**given)
        self.connector = connector.open(settings, given_runtime or runtime())

    def connection(self) -> dict[str, Any]:
        raise NotImplementedError

    def create(self, number: int) -> str:
        return self._act("create", values=self.typed(number))

    def typed(self, number: int) -> Values:
        """Record ``number`` as a person enters it."""
        return self.values(number)

    def edit(self, id: str, text: str) -> None:
        self._act("update", id=id, values={self.text: text})

    def delete(self, id: str) -> None:
        self._act("delete", id=id)

    def later(self) -> None:
        self.server.post("clock", advance=5)

    def lose_answer(self, action: Action = Action.CREATE) -> None:
        method, path = self.converts if action is Action.CONVERT else self.creates
        self.server.fault(method, path, drop="after")

    def calls(self) -> int:
        return int(self.server.get("counts")["calls"])

    def written(self) -> int:
        return sum(self.server.writes().values())

    def merge(self, survivor: str, loser: str) -> None:
        self._act("merge", id=survivor, losers=[loser])

    def undelete(self, id: str) -> None:
        self._act("undelete", id=id)

    def convert(self, id: str) -> None:
        self._act("convert", id=id)

    def _act(self, action: str, **more: Any) -> str:
        done = self.server.act(action, self.selection.object, **more)
        return str(done.get("id", more.get("id")))


class SalesforceBench(ServerBench):
    plugin = "salesforce"
    selection = Selection("Lead", ("Company", "Email", "LastName", "Title"))
    text = "Title"
    name = "LastName"
    search = "Email"
    refused: ClassVar[Values] = {"Email": "nowhere"}
    becomes = "Contact"
    converts = ("POST", "services/Soap/")
    can = frozenset({"merge", "undelete", "convert", "hide", "expire"})
    creates = ("PATCH", "composite/sobjects")
    lists = ("GET", "/query")
    fetches = lists
    updates = ("PATCH", "/sobjects/Lead/")
    condition = "if-unmodified-since"
    settings: ClassVar[dict[str, Any]] = {"safety_lag": 0}

    def __init__(self, server: Server, given_runtime: Runtime | None = None) -> None:
        super().__init__(server, given_runtime)
        server.post("switches", page_size=3)

    def connection(self) -> dict[str, Any]:
        auth = {
            "flow": "client_credentials",
            "client_id": "demo-client",
            "client_secret": "demo-secret-salesforce",
        }
        where = {"url": self.server.address, "ca_file": self.server.ca_file}
        return {**where, "auth": auth, "allow_host": ["127.0.0.1"]}

    def values(self, number: int) -> Values:
        return {"LastName": f"N{number}", "Company": "Plavi", "Email": f"n{number}@x.example"}

    def hide(self) -> None:
        self.server.post("switches", visible_late=60)

    def show(self) -> None:
        self.server.post("clock", advance=61)

    def expire(self) -> None:
        self.server.post("clock", advance=16 * 86400)


class DynamicsBench(ServerBench):
    plugin = "dynamics"
    selection = Selection("lead", ("companyname", "emailaddress1", "jobtitle", "lastname"))
    text = "jobtitle"
    name = "lastname"
    search = "emailaddress1"
    refused: ClassVar[Values] = {"lastname": "x" * 51}
    becomes = "contact"
    can = frozenset({"merge", "undelete", "convert", "expire"})
    creates = ("PATCH", r"leads\(")
    converts = ("POST", "QualifyLead")
    lists = ("GET", r"/leads\?")
    fetches = lists
    updates = ("PATCH", r"leads\(")
    condition = "if-match"

    def __init__(self, server: Server, given_runtime: Runtime | None = None) -> None:
        super().__init__(server, given_runtime)
        server.post("switches", page_size=3)

    def connection(self) -> dict[str, Any]:
        return {
            "url": self.server.address,
            "authority": f"{self.server.address}/tenant",
            "tenant_id": "tenant",
            "client_id": "demo-client",
            "client_secret": "demo-secret-dynamics",
            "ca_file": self.server.ca_file,
            "allow_host": ["127.0.0.1"],
        }

    def values(self, number: int) -> Values:
        return {
            "lastname": f"N{number}",
            "companyname": "Plavi",
            "emailaddress1": f"n{number}@x.example",
        }

    def expire(self) -> None:
        self.server.post("clock", advance=8 * 86400)


class InfobipBench(ServerBench):
    plugin = "infobip"
    selection = Selection("person", ("city", "emails", "lastName", "type"))
    text = "city"
    name = "lastName"
    search = "emails"
    refused: ClassVar[Values] = {"emails": {"add": ["no address"], "remove": []}}
    many = ("emails", "more@x.example", "other@x.example")
    conversion: ClassVar[Values | None] = {"type": "CUSTOMER"}
    creates = ("POST", "/persons(/batch)?$")
    lists = ("GET", r"/persons\?.*page=")
    first_page = 1  # the newest stamp is read before
    fetches = ("GET", r"/persons\?")
    updates = ("PATCH", r"/persons\?")
    settings: ClassVar[dict[str, Any]] = {"page_size": 3}

    def connection(self) -> dict[str, Any]:
        return {
            "base_url": self.server.address,
            "api_key": KEY,
            "allow_host": ["127.0.0.1"],
        }

    def values(self, number: int) -> Values:
        emails = {"add": [f"n{number}@x.example"], "remove": []}
        return {"type": "LEAD", "lastName": f"N{number}", "emails": emails}

    def typed(self, number: int) -> Values:
        contacts = {"email": [{"address": f"n{number}@x.example"}]}
        return {"type": "LEAD", "lastName": f"N{number}", "contactInformation": contacts}
