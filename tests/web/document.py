"""Writes the admin API's document anew: ``python -m tests.web.document``."""

from sync_engine.store import migrate, open_database
from sync_engine.web.app import DOCUMENT, create_app, document_of
from tests.engine.three import Three
from tests.web.conftest import daemon_of, settings_of

if __name__ == "__main__":
    engine = open_database("sqlite://")
    migrate(engine)
    DOCUMENT.write_text(document_of(create_app(daemon_of(Three(engine)), settings_of())))
