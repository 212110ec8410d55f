"""Opens and migrates the state database: SQLite or PostgreSQL, told apart by the URL alone."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool


class StateError(Exception):
    """The state database cannot be used."""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def open_database(url: str) -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql://...``.

    Raises StateError for a URL that cannot be used. The file is created with mode 0600.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StateError(
            "the state URL cannot be read", remedy="write sqlite:///FILE or postgresql://HOST/NAME"
        ) from error
    family = parsed.get_backend_name()
    if family not in ("sqlite", "postgresql"):
        raise StateError(
            f"the state cannot be kept in {family}", remedy="use sqlite:///FILE or postgresql://"
        )
    options: dict[str, Any] = {"hide_parameters": True}
    if family == "postgresql":
        # a bare postgresql:// would mean psycopg2
        return create_engine(parsed.set(drivername="postgresql+psycopg"), **options)
    if parsed.database in (None, "", ":memory:"):
        options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    else:
        _make_private(Path(str(parsed.database)))
    engine = create_engine(parsed, **options)
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def unusable(error: SQLAlchemyError) -> StateError:
    """What to tell of a state that cannot be read or written; only words without values.

    The driver's own words of an OperationalError speak of the server, the file or the disk.
    """
    orig = getattr(error, "orig", None)
    known = isinstance(error, OperationalError) and orig is not None
    why = str(orig).strip().partition("\n")[0] if known else type(error).__name__
    return StateError(
        f"the state database cannot be used: {why}",
        remedy="see to the disk, the file's owner and mode, or the server; nothing is lost, and "
        "what was due is done once it can be used",
    )


def _make_private(path: Path) -> None:
    if not path.parent.is_dir():
        raise StateError(f"the folder {path.parent} does not exist", remedy="create it")
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"the state file {path} cannot be written", remedy="check its owner and mode"
        ) from error


def _pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves; the same on Python 3.11 to 3.13
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a row of `sent` must outlive a power cut
        "foreign_keys=ON",
        "busy_timeout=5000",
        "secure_delete=ON",  # a forgotten person leaves no bytes behind
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # a deferred read-then-write gets SQLITE_BUSY at once, which the busy timeout does not cure
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def alembic_config(engine: Engine) -> Config:
    """Alembic without an ini file, inside our own connection."""
    config = Config()
    config.set_main_option("script_location", "sync_engine:migrations")
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine) -> None:
    """Bring the database to this version's tables.

    Raises StateError for one that a newer version has written, or a file that is none.
    """
    config = alembic_config(engine)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    try:
        with engine.begin() as connection:
            present = set(MigrationContext.configure(connection).get_current_heads())
    except OperationalError as error:
        raise StateError(
            "the state database cannot be opened", remedy="check the URL, the server and its rights"
        ) from error
    except DatabaseError as error:
        raise StateError(
            "the state file is no database", remedy="name another file, or restore a backup"
        ) from error
    if not present <= known:
        raise StateError(
            "the state database was written by a newer version of crm-sync",
            remedy="run that version, or restore a backup made before the upgrade",
        )
    command.upgrade(config, "head")
