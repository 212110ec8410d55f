"""Refusals in the People API's own words and codes (Infobip's error code list, family "People")."""

from typing import Any

#: HTTP status -> messageId of the documented envelope
_IDS = {400: "BAD_REQUEST", 403: "FORBIDDEN", 404: "NOT_FOUND"}


class Refusal(Exception):
    """A request, or one entry of a batch, is refused; the code begins with the HTTP status."""

    def __init__(self, code: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field
        self.status = int(str(code)[:3])

    def body(self, *, enveloped: bool) -> dict[str, Any]:
        """As documented, or in the shape that live answers had in July 2026."""
        if enveloped:
            return envelope(_IDS.get(self.status, str(self.code)), self.message)
        told: dict[str, Any] = {"errorCode": self.code, "errorMessage": self.message}
        if self.field:
            told["validationErrors"] = [{"propertyPath": self.field, "message": self.message}]
        return told


def envelope(message_id: str, words: str) -> dict[str, Any]:
    """The documented shape of 400, 401, 403, 404, 429 and 500."""
    return {"requestError": {"serviceException": {"messageId": message_id, "text": words}}}
