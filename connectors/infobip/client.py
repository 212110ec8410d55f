"""The People API of Customer Profiles as Python calls; knows nothing of synchronising.

Every call goes through ``InfobipClient.call``, which refuses those that clear what they leave
out and keeps the pace the account allows for each operation.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from connectors.errors import AuthError, ResponseError, TransientError
from connectors.http import HttpClient
from connectors.infobip.faults import NO_WRITING, Fault, entry_fault, fault_of
from connectors.infobip.fields import COMPANY, PERSON, Row
from connectors.infobip.settings import Rates
from connectors.replies import documented, json_of

PERSONS = "/people/2/persons"
COMPANIES = "/people/2/companies"
ATTRIBUTES = "/people/2/customAttributes"
TAGS = "/people/2/tags"
MATCH = f"{PERSONS}/match"
CONTACTS = f"{PERSONS}/contactInformation"
LISTS = {PERSON: (PERSONS, "persons"), COMPANY: (COMPANIES, "companies")}
MOST = 1000  #: entries of one batch call, rows of one page

#: (type, identifier), such as ("EMAIL", "jane@example.com")
Identity: TypeAlias = tuple[str, str]
#: the refused entries of a batch, or the refusal of the whole call
Refused: TypeAlias = Fault | Mapping[str, Fault]
_T = TypeVar("_T")


class ForbiddenError(AuthError):
    """The key is known, but it, or the account, lacks the permission (403, 405)."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any

    @property
    def fault(self) -> Fault | None:
        return None if self.status < 300 else fault_of(self.status, self.body)


def slices(items: Collection[_T], most: int = MOST) -> Iterator[list[_T]]:
    rest = list(items)
    for start in range(0, len(rest), most):
        yield rest[start : start + most]


class InfobipClient:
    def __init__(self, http: HttpClient, rates: Rates) -> None:
        self._http = http
        self._rates = rates

    def call(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Answer:
        """The answer, refusals included. Raises ConnectorError for the connection only."""
        if method == "PUT":  # PUT person, upsert, contact information: all clear what is left out
            raise ResponseError(f"PUT {path} clears what it leaves out and is never sent")
        lane, rate = self._lane(method, path)
        response = self._http.send(
            method,
            path,
            params=params,
            headers={"Accept": "application/json"},
            json=json,
            lane=lane,
            paced=1 / rate if rate else 0.0,
        )
        if response.status_code < 300:
            return Answer(response.status_code, json_of(response) if response.content else None)
        try:
            return Answer(response.status_code, response.json())
        except ValueError as error:  # refusals are not promised to have a body
            if response.status_code == 404:  # a proxy's page says nothing about a record
                raise ResponseError(f"{method} {path} is not known there (404)") from error
            return Answer(response.status_code, None)

    def _lane(self, method: str, path: str) -> tuple[str, float]:
        """The limits hold for each operation of the account, not for a person or tag."""
        operation = f"{TAGS}/persons" if path.startswith(f"{TAGS}/") else path
        if path == MATCH:
            rate = self._rates.match
        elif method == "GET":
            rate = self._rates.read
        else:
            rate = self._rates.create if (method, path) == ("POST", PERSONS) else self._rates.write
        return f"{method} {operation}", rate

    def _read(self, method: str, path: str, params: Any = None, json: Any = None) -> Any:
        """The body of a read; None for 404."""
        return self._body(method, path, self.call(method, path, params, json))

    def _body(self, method: str, path: str, answer: Answer) -> Any:
        if answer.status == 404:
            return None
        if fault := answer.fault:
            raise _refusal(fault) or ResponseError(
                f"Customer Profiles refuses {method} {path} ({fault.code or fault.status})",
                remedy="ask Infobip why, with the time of the call",
            )
        if answer.body is None:  # an empty answer must not pass for a record that is not there
            raise TransientError(f"Customer Profiles answers {method} {path} with nothing")
        return answer.body

    def _write(self, method: str, path: str, params: Any = None, json: Any = None) -> Any:
        """The body of a write, or its Fault. Raises AuthError where the key may not write."""
        answer = self.call(method, path, params, json)
        if fault := answer.fault:
            if refusal := _refusal(fault):
                raise refusal
            return fault
        return {} if answer.body is None else answer.body

    def rows(self, object: str, page: int, limit: int, order: str) -> Sequence[Row]:
        """One page of a list; fewer rows than ``limit`` only on the last one."""
        path, name = LISTS[object]
        body = self._read("GET", path, {"limit": limit, "page": page, "orderBy": order})
        rows = body.get(name) if isinstance(body, Mapping) else None
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise ResponseError(f"Customer Profiles answers GET {path} without {name}")
        given = body.get("limit", limit)
        if given != limit or len(rows) > limit:  # the end of the list would be misjudged
            raise ResponseError(f"Customer Profiles gives pages of {given}, asked for {limit}")
        return rows

    def person(self, id: str) -> Row | None:
        return _record(self._read("GET", PERSONS, _query(PERSON, id)))

    @documented("Customer Profiles")
    def company(self, name: str, value: str) -> Row | None:
        """The company whose id, externalId, name or domain that is."""
        body = self._read("GET", COMPANIES, {name: value})
        if isinstance(body, Mapping) and "companies" in body:
            body = body["companies"][0] if body["companies"] else None
        return _record(body)

    @documented("Customer Profiles")
    def match(self, identities: Collection[Identity]) -> dict[Identity, str]:
        """The ids of the persons who have these identities; unknown ones are left out."""
        asked = {_folded(identity): identity for identity in identities}
        found: dict[Identity, str] = {}
        for part in slices(asked.values()):
            for match in self._matches(part):
                identity = asked.get(_folded((str(match["type"]), str(match["identifier"]))))
                if identity and match.get("personId") is not None:
                    found[identity] = str(match["personId"])
        return found

    def _matches(self, identities: Sequence[Identity]) -> list[Row]:
        """Asked in halves where one of them is refused as malformed: such a one is nobody's."""
        told = [{"type": type, "identifier": value} for type, value in identities]
        answer = self.call("POST", MATCH, json={"identities": told})
        if answer.status != 400:
            body = self._body("POST", MATCH, answer)
            if body is None:  # 404 is documented beside 200: nobody has any of these
                return []
            return list(body.get("matches") or [])
        if len(identities) == 1:
            return []
        middle = len(identities) // 2
        return self._matches(identities[:middle]) + self._matches(identities[middle:])

    def create(self, object: str, body: Row) -> Row | Fault:
        return _answered(self._write("POST", LISTS[object][0], json=body))

    @documented("Customer Profiles")
    def create_many(self, object: str, bodies: Sequence[Row]) -> tuple[Refused, dict[int, str]]:
        """The refused ones by index, and the ids by index where the answer tells them."""
        path, name = f"{LISTS[object][0]}/batch", _plural(object)
        body = self._write("POST", path, json={name: list(bodies)})
        if isinstance(body, Fault):
            return _whole(body, path), {}
        results = body.get("results") or []
        ids = {int(e["index"]): str(e["id"]) for e in results if e.get("id") is not None}
        faults = {str(e.get("index")): fault for e in results if (fault := entry_fault(e))}
        if not ids.keys() <= set(range(len(bodies))):
            raise ResponseError("Customer Profiles answers for entries that no batch had")
        return _known(faults, map(str, range(len(bodies)))), ids

    def update(
        self, object: str, id: str, body: Row, params: Mapping[str, Any] | None = None
    ) -> Row | Fault:
        query = {**_query(object, id), **(params or {})}
        return _answered(self._write("PATCH", LISTS[object][0], query, json=body))

    def update_many(self, object: str, bodies: Mapping[str, Row]) -> Refused:
        entries = [{"query": _query(object, id), "update": body} for id, body in bodies.items()]
        return self._batch("PATCH", object, entries, bodies)

    def delete_many(self, object: str, ids: Collection[str]) -> Refused:
        return self._batch("DELETE", object, [{"query": _query(object, id)} for id in ids], ids)

    @documented("Customer Profiles")
    def _batch(self, method: str, object: str, entries: Any, ids: Collection[str]) -> Refused:
        path, name = f"{LISTS[object][0]}/batch", _plural(object)
        body = self._write(method, path, json={name: entries})
        if isinstance(body, Fault):
            return _whole(body, path)
        field = "identifier" if object == PERSON else "id"
        faults = {
            str((entry.get("query") or {}).get(field)): fault
            for entry in body.get("results") or []
            if (fault := entry_fault(entry))
        }
        return _known(faults, ids)

    def remove_contacts(self, id: str, contacts: Row) -> Row | Fault:
        """``contacts``: the API's contactInformation, {"phone": [...], "email": [...]}."""
        told = {"contactInformation": contacts}
        return _answered(self._write("DELETE", CONTACTS, _query(PERSON, id), json=told))

    def join(self, company: str, persons: Collection[str]) -> Fault | None:
        return self._members("PATCH", company, persons)

    def leave(self, company: str, persons: Collection[str]) -> Fault | None:
        return self._members("DELETE", company, persons)

    def _members(self, method: str, company: str, persons: Collection[str]) -> Fault | None:
        answer = self._write(
            method, f"{COMPANIES}/persons", {"id": company}, json={"people": _people(persons)}
        )
        return answer if isinstance(answer, Fault) else None

    def ensure_tags(self, names: Collection[str]) -> None:
        """Define the tags that the account lacks: a tag must exist before a person gets it.

        A refusal, mostly a duplicate, shows in the write that names the tag.
        """
        for name in names:
            self._write("POST", TAGS, json={"name": name})

    def untag(self, name: str, persons: Collection[str]) -> Fault | None:
        path = f"{TAGS}/{quote(name, safe='')}/persons"
        answer = self._write("DELETE", path, json={"people": _people(persons)})
        return answer if isinstance(answer, Fault) else None

    def attributes(self) -> dict[str, str]:
        """The custom attributes of persons: name -> data type."""
        found: dict[str, str] = {}
        page = 1
        while True:
            body = self._read("GET", ATTRIBUTES, {"limit": MOST, "page": page}) or {}
            told = body.get("customAttributes") if isinstance(body, Mapping) else body
            found.update({str(row["name"]): str(row.get("dataType")) for row in told or []})
            if len(told or []) < MOST:
                return found
            page += 1


def _record(found: Any) -> Row | None:
    """Raises ResponseError for what is no record: only a 404 says that there is none."""
    if found is None:
        return None
    if not isinstance(found, Mapping) or found.get("id") is None:
        raise ResponseError("Customer Profiles answers a record without id")
    return found


def _answered(answer: Any) -> Row | Fault:
    """A single write is answered with the record as it is then."""
    return answer if isinstance(answer, Fault) else _record(answer) or {}


def _refusal(fault: Fault) -> ForbiddenError | None:
    """What a person must allow; nothing of the kind can succeed until then."""
    if fault.code in NO_WRITING:
        return ForbiddenError(
            f"Customer Profiles refuses every write: {NO_WRITING[fault.code]}",
            remedy="let Infobip allow writing through the API",
        )
    if fault.status != 403:
        return None
    return ForbiddenError(
        "Customer Profiles refuses the permission (403)",
        remedy="give the API key the scopes people:read and people:manage",
    )


def _whole(fault: Fault, path: str) -> Fault:
    """A batch that is not there says nothing about its records."""
    if fault.status == 404:
        raise ResponseError(f"Customer Profiles does not know {path}")
    return fault


def _query(object: str, id: str) -> dict[str, str]:
    return {"type": "ID", "identifier": id} if object == PERSON else {"id": id}


def _people(ids: Collection[str]) -> list[dict[str, Any]]:
    return [{"query": _query(PERSON, id)} for id in ids]


def _plural(object: str) -> str:
    return "people" if object == PERSON else "companies"


def _folded(identity: Identity) -> Identity:
    """E-mail addresses do not distinguish case, phones and external ids do."""
    type, value = identity
    return (type, value.casefold()) if type == "EMAIL" else identity


def _known(faults: dict[str, Fault], ours: Any) -> dict[str, Fault]:
    if not faults.keys() <= set(ours):
        raise ResponseError("Customer Profiles refuses entries of a batch without saying which")
    return faults
