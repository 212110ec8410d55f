"""Refusals in the People API's own words and codes (Infobip's error code list, family "People")."""

from typing import Any


class Refusal(Exception):
    """A request, or one entry of a batch, is refused."""

    def __init__(self, code: int, message: str, field: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field
        self.status = status or int(str(code)[:3])

    @property
    def body(self) -> dict[str, Any]:
        """The shape that live answers had in July 2026."""
        told: dict[str, Any] = {"errorCode": self.code, "errorMessage": self.message}
        if self.field:
            told["validationErrors"] = [{"propertyPath": self.field, "message": self.message}]
        return told


def envelope(message_id: str, words: str) -> dict[str, Any]:
    """The documented shape of 401, 403, 404, 429 and 500."""
    return {"requestError": {"serviceException": {"messageId": message_id, "text": words}}}
