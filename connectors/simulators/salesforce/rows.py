"""Records over HTTP: one at a time, under a condition, by external id, in collections.

Sources: REST API Developer Guide, sObject Rows, sObject Rows by External ID, sObject
Collections, Conditional Request Headers.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.simulators.salesforce import values
from connectors.simulators.salesforce.org import API_USER, Org, Stored
from connectors.simulators.salesforce.queries import attributes
from connectors.simulators.salesforce.refusals import (
    BodyError,
    RowError,
    deleted,
    no_reference,
    not_found,
)

COLLECTION = 200

Fields = dict[str, Any]


class Rows:
    """The records of one organization."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def insert(self, request: Request, given: Any, name: str) -> Response:
        fields = self._fields(name, given)
        number = self._org.create(name, fields, API_USER, assign=_assigns(request))
        place = f"{request.url.path.rstrip('/')}/{number}"
        return JSONResponse(_done(number), 201, {"Location": place})

    def read(self, request: Request, _given: Any, name: str, number: str) -> Response:
        row = self._alive(name, number)
        described = {one["name"]: one for one in self._org.schema.fields(name)}
        wanted = request.query_params.get("fields", "")
        names = [n for n in wanted.split(",") if n] or list(described)
        for unknown in sorted(set(names) - set(described)):
            message = f"No such column '{unknown}' on sobject of type {name}"
            raise RowError("INVALID_FIELD", message)
        version = request.url.path.split("/")[3]
        return JSONResponse(
            {"attributes": attributes(name, row.id, version)}
            | {n: row.values.get(n) for n in names},
            headers={"Last-Modified": format_datetime(_modified(row), usegmt=True)},
        )

    def read_by(self, request: Request, given: Any, name: str, field: str, value: str) -> Response:
        rows = self._holding(name, field, value)
        if len(rows) > 1:
            return _choices(request, name, rows)
        if not rows:
            raise not_found()
        return self.read(request, given, name, rows[0].id)

    def update(self, request: Request, given: Any, name: str, number: str) -> Response:
        fields = self._fields(name, given)
        row = self._alive(name, number)
        unless = request.headers.get("If-Unmodified-Since")
        # one second of resolution; Last-Modified follows SystemModstamp
        if unless and _modified(row) > _moment(unless):
            message = "The record was modified since the given moment"
            raise RowError("PRECONDITION_FAILED", message, status=412)
        self._org.update(row, fields, API_USER, assign=_assigns(request))
        return Response(status_code=204)

    def delete(self, _request: Request, _given: Any, name: str, number: str) -> Response:
        self._org.delete(self._alive(name, number), API_USER)
        return Response(status_code=204)

    def upsert(self, request: Request, given: Any, name: str, field: str, value: str) -> Response:
        fields = {**self._fields(name, given), field: value}
        rows = self._holding(name, field, value)
        if len(rows) > 1:
            return _choices(request, name, rows)
        found = self._upserted(name, field, fields, _assigns(request))
        return JSONResponse(found, 201 if found["created"] else 200)

    # collections

    def insert_all(self, request: Request, given: Any) -> Response:
        def insert(one: Fields) -> Fields:
            name = one["attributes"]["type"]
            fields = self._fields(name, one)
            return _done(self._org.create(name, fields, API_USER, assign=_assigns(request)))

        return self._collection(insert, self._parsed(given), given)

    def update_all(self, request: Request, given: Any) -> Response:
        def update(one: Fields) -> Fields:
            name, number = one["attributes"]["type"], str(one.get("Id") or one.get("id"))
            row = self._org.find(name, number)
            if row is None:
                raise no_reference()
            fields = self._fields(name, one)
            self._org.update(row, fields, API_USER, assign=_assigns(request))
            return _done(row.id)

        return self._collection(update, self._parsed(given), given)

    def upsert_all(self, request: Request, given: Any, name: str, field: str) -> Response:
        self._external(name, field)

        def upsert(one: Fields) -> Fields:
            fields = self._fields(name, one)
            if fields.get(field) is None:
                raise RowError("MISSING_ARGUMENT", f"{field} not specified")
            return self._upserted(name, field, fields, _assigns(request))

        return self._collection(upsert, self._parsed(given), given, created=False)

    def delete_all(self, request: Request, _given: Any) -> Response:
        def delete(number: str) -> Fields:
            found = (self._org.find(name, number) for name in self._org.schema.names())
            row = next((one for one in found if one is not None), None)
            if row is None:
                raise no_reference()
            self._org.delete(row, API_USER)
            return _done(row.id)

        numbers = [one for one in request.query_params.get("ids", "").split(",") if one]
        whole = request.query_params.get("allOrNone") == "true"
        return self._collection(delete, _bounded(numbers), {"allOrNone": whole})

    def _collection(
        self,
        work: Callable[[Any], Fields],
        rows: Iterable[Any],
        given: Mapping[str, Any],
        **more: Any,
    ) -> Response:
        """HTTP 200 even if every row failed; ``allOrNone`` undoes them all for one."""
        saved = copy.deepcopy(self._org.rows) if given.get("allOrNone") else None
        written = len(self._org.journal.writes)
        answers = [_each(work, one, **more) for one in rows]
        if saved is not None and not all(answer["success"] for answer in answers):
            self._org.rows = saved
            del self._org.journal.writes[written:]
            answers = [_undone(**more) if one["success"] else one for one in answers]
        return JSONResponse(answers)

    def _parsed(self, given: Any) -> list[Fields]:
        """The records of a collection. Raises BodyError before any of them is touched."""
        if not isinstance(given, Mapping) or not isinstance(given.get("records"), list):
            raise BodyError("The request body must hold a list of records")
        for one in given["records"]:
            name = one.get("attributes", {}).get("type")
            if name is None:
                raise BodyError("Each object must contain an attributes map with a type")
            self._parse(name, one)
        return _bounded(given["records"])

    def _fields(self, name: str, given: Mapping[str, Any]) -> Fields:
        self._parse(name, given)
        return {n: v for n, v in given.items() if n not in ("attributes", "Id", "id")}

    def _parse(self, name: str, given: Mapping[str, Any]) -> None:
        self._known(name)
        for given_name, value in given.items():
            if (one := self._org.schema.field(name, given_name)) is not None:
                values.parse(one, value)

    def _upserted(self, name: str, field: str, fields: Fields, assign: bool) -> Fields:
        rows = self._holding(name, field, fields[field])
        if not rows:
            number = self._org.create(name, fields, API_USER, assign=assign)
            return _done(number) | {"created": True}
        if len(rows) > 1:
            message = f"{field}: more than one record found for external id field"
            raise RowError("DUPLICATE_EXTERNAL_ID", message)
        rest = {n: v for n, v in fields.items() if n != field}
        self._org.update(rows[0], rest, API_USER, assign=assign)
        return _done(rows[0].id) | {"created": False}

    def _holding(self, name: str, field: str, value: Any) -> list[Stored]:
        return self._org.holding(name, self._external(name, field), value)

    def _external(self, name: str, field: str) -> str:
        """The field's name as it is written; idLookup fields serve too, as recorded."""
        self._known(name)
        one = self._org.schema.field(name, field)
        if one is None or not (one["externalId"] or one["idLookup"]):
            raise not_found("Provided external ID field does not exist or is not accessible")
        return str(one["name"])

    def _known(self, name: str) -> None:
        if self._org.schema.of(name) is None:
            raise not_found()

    def _alive(self, name: str, number: str) -> Stored:
        self._known(name)
        row = self._org.find(name, number)
        if row is None:
            raise not_found("Provided external ID field does not exist or is not accessible")
        if row.values["IsDeleted"]:
            raise deleted()
        return row


def _assigns(request: Request) -> bool:
    """Assignment rules run unless the header says FALSE (headers-autoassign)."""
    return request.headers.get("Sforce-Auto-Assign", "TRUE").upper() != "FALSE"


def _bounded(rows: list[Any]) -> list[Any]:
    if len(rows) > COLLECTION:
        raise RowError("EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached: {COLLECTION}")
    return rows


def _done(number: str) -> Fields:
    return {"id": number, "success": True, "errors": []}


def _each(work: Callable[[Any], Fields], one: Any, **more: Any) -> Fields:
    try:
        return work(one)
    except RowError as error:
        return _refused(error, **more)


def _undone(**more: Any) -> Fields:
    words = "Record rolled back because not all records were valid and the request was using "
    return _refused(RowError("ALL_OR_NONE_OPERATION_ROLLED_BACK", f"{words}AllOrNone"), **more)


def _refused(error: RowError, **more: Any) -> Fields:
    told = {"statusCode": error.code, "message": error.message, "fields": list(error.fields)}
    return {"success": False, "errors": [told], **more}


def _choices(request: Request, name: str, rows: Iterable[Stored]) -> Response:
    """An external id that several records carry: their addresses, and nothing done."""
    version = request.url.path.split("/")[3]
    return JSONResponse([attributes(name, row.id, version)["url"] for row in rows], 300)


def _modified(row: Stored) -> datetime:
    return datetime.fromisoformat(row.values["SystemModstamp"])


def _moment(told: str) -> datetime:
    """An invalid value of a condition is a bad request (intro_rest_conditional_requests)."""
    try:
        return parsedate_to_datetime(told)
    except ValueError as error:
        raise RowError("INVALID_HEADER", "the header If-Unmodified-Since is invalid") from error
