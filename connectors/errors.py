"""What a connector may raise. It is always about the connection, never about one record.

ConnectorError
├── AuthError                  a person must act        → this instance stops, others go on
├── SetupError                 a person must act        → refused at start or by ``check``
├── TransientError             later, unchanged         → next cycle, after ``retry_after``
│   └── RateLimitError
├── CursorExpiredError         the engine acts          → full listing
└── ResponseError              our bug or theirs        → this source's turn fails, loudly
"""


class ConnectorError(Exception):
    """The system could not be used."""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    @property
    def told(self) -> str:
        """What happened, with the remedy if there is one."""
        return f"{self.what} (remedy: {self.remedy})" if self.remedy else self.what


class AuthError(ConnectorError):
    """The system refuses the credentials or the permission."""


class SetupError(ConnectorError):
    """The settings cannot work with this system."""


class TransientError(ConnectorError):
    """The system is not answering properly at the moment."""

    def __init__(self, what: str, *, remedy: str = "", retry_after: float | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.retry_after = retry_after  #: seconds


class RateLimitError(TransientError):
    """The system asks to be called less often."""


class CursorExpiredError(ConnectorError):
    """The cursor is too old, or belongs to another selection."""


class ResponseError(ConnectorError):
    """The system answered something that is not in its documentation."""
