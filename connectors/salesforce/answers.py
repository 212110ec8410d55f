"""What refusals of the REST API mean: for the connection, as errors.

Codes: SOAP API Developer Guide, "Core Data Types Used in API Calls", StatusCode; REST API
Developer Guide, "Status Codes and Error Responses". Messages are never passed on: they hold
queries and values.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from connectors.errors import (
    AuthError,
    ConnectorError,
    RateLimitError,
    ResponseError,
    SetupError,
    TransientError,
)
from connectors.replies import json_of

LIMITS = frozenset({"REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED"})
LATER = frozenset(
    {
        "API_CURRENTLY_DISABLED",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        "QUERY_TIMEOUT",
        "REQUEST_RUNNING_TOO_LONG",
        "SERVER_UNAVAILABLE",
        # locators live two days; reading goes on after the last page that was kept
        "INVALID_QUERY_LOCATOR",
    }
)
#: the organization no longer has, or shows us, what we were set up with
_ALTERED = frozenset({"INVALID_FIELD", "INVALID_TYPE"})
DISABLED = "API_DISABLED_FOR_ORG"
MALFORMED = "JSON_PARSER_ERROR"


def errors_of(body: Any) -> list[Mapping[str, Any]]:
    """The errors of an answer: a list of objects with errorCode or statusCode."""
    found = body if isinstance(body, list) else [body]
    return [error for error in found if isinstance(error, Mapping)]


def code_of(error: Mapping[str, Any]) -> str:
    return str(error.get("errorCode") or error.get("statusCode") or error.get("error") or "UNKNOWN")


def problem(response: httpx.Response) -> ConnectorError:
    """What a refused request says of the connection."""
    return problem_of(response.status_code, json_of(response))


def problem_of(status: int, body: Any) -> ConnectorError:
    codes = {code_of(error) for error in errors_of(body)} or {str(status)}
    named = ", ".join(sorted(codes))
    if LIMITS & codes:
        return _limit(body, named)
    if LATER & codes:
        return TransientError(f"Salesforce cannot answer now ({named})")
    if status in (414, 431):
        return SetupError(
            "a query is longer than an address may be", remedy="map fewer fields of one object"
        )
    if _ALTERED & codes:
        return SetupError(
            f"Salesforce no longer shows what the mapping names ({named})",
            remedy="run crm-sync check: it names the field or object",
        )
    if status == 403 or any(code.startswith("INSUFFICIENT_ACCESS") for code in codes):
        return AuthError(
            f"Salesforce refuses the permission ({named})",
            remedy="check the permission set of the integration user",
        )
    return ResponseError(f"Salesforce refuses a request with {status} ({named})")


def _limit(body: Any, named: str) -> RateLimitError:
    """The message tells which limit it is: that of the day, or of long requests at once."""
    if any("TotalRequests" in str(error.get("message")) for error in errors_of(body)):
        return RateLimitError(
            f"the daily API calls of the organization are used up ({named})",
            remedy="run less often or buy more calls",
            retry_after=3600,
        )
    return RateLimitError(
        f"too many API calls are running at once ({named})",
        remedy="see which other integrations keep long requests running",
        retry_after=60,
    )
