"""The server's clock: the real one, moved by an offset that tests set."""

from datetime import UTC, datetime, timedelta


class ServerClock:
    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)
