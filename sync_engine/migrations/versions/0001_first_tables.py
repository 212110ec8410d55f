"""First tables"""

import sqlalchemy as sa
from alembic import op

from sync_engine import models

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("left_source", sa.SmallInteger(), nullable=False),
        sa.Column("left_record", sa.Text(), nullable=False),
        sa.Column("right_source", sa.SmallInteger(), nullable=False),
        sa.Column("right_record", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", models.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint(
            "left_source",
            "left_record",
            "right_source",
            "right_record",
            name=op.f("uq_decision_left_source_left_record_right_source_right_record"),
        ),
    )
    op.create_table(
        "erased",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", models.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_erased")),
    )
    op.create_table(
        "field",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field")),
        sa.UniqueConstraint("name", name=op.f("uq_field_name")),
    )
    op.create_table(
        "history",
        sa.Column("id", models.NUMBER, nullable=False),
        sa.Column("run_id", models.NUMBER, nullable=False),
        sa.Column("entity_id", models.NUMBER, nullable=False),
        sa.Column("link_id", models.NUMBER, nullable=True),
        sa.Column("what", sa.SmallInteger(), nullable=False),
        sa.Column("field_id", sa.SmallInteger(), nullable=True),
        sa.Column("fields", models.JsonText(), nullable=True),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("stamp", sa.Text(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.Column("old", models.JsonText(), nullable=True),
        sa.Column("new", models.JsonText(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("lost", models.JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
    )
    with op.batch_alter_table("history", schema=None) as batch_op:
        batch_op.create_index("ix_history_entity", ["entity_id", "id"], unique=False)
        batch_op.create_index(
            "ix_history_left",
            ["link_id"],
            unique=False,
            sqlite_where=sa.text("what = 5"),
            postgresql_where=sa.text("what = 5"),
        )

    op.create_table(
        "instance",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("identity", models.JsonText(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("budget", models.JsonText(), nullable=True),
        sa.Column("health", models.JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
        sa.UniqueConstraint("name", name=op.f("uq_instance_name")),
    )
    op.create_table(
        "issue",
        sa.Column("id", models.NUMBER, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("source_id", sa.SmallInteger(), nullable=True),
        sa.Column("entity_id", models.NUMBER, nullable=True),
        sa.Column("link_id", models.NUMBER, nullable=True),
        sa.Column("field_id", sa.SmallInteger(), nullable=True),
        sa.Column("detail", models.JsonText(), nullable=True),
        sa.Column("opened_at", models.UtcDateTime(), nullable=False),
        sa.Column("closed_at", models.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
    )
    op.create_table(
        "layout",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("fields", models.JsonText(), nullable=False),
        sa.Column("forms", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layout")),
        sa.UniqueConstraint("fields", "forms", name=op.f("uq_layout_fields_forms")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fence", models.NUMBER, nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("until", models.UtcDateTime(), nullable=True),
        sa.Column("run_id", models.NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "meta",
        sa.Column("installation", models.NUMBER, nullable=False),
        sa.Column("epoch", models.NUMBER, nullable=False),
        sa.Column("restoring", sa.SmallInteger(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("out", models.JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("installation", name=op.f("pk_meta")),
    )
    op.create_table(
        "run",
        sa.Column("id", models.NUMBER, nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("prefer", sa.Text(), nullable=True),
        sa.Column("started_at", models.UtcDateTime(), nullable=False),
        sa.Column("finished_at", models.UtcDateTime(), nullable=True),
        sa.Column("counts", models.JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_table(
        "sync",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("released_at", models.UtcDateTime(), nullable=True),
        sa.Column("due_at", models.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sync")),
        sa.UniqueConstraint("kind", name=op.f("uq_sync_kind")),
    )
    op.create_table(
        "entity",
        sa.Column("id", models.NUMBER, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("into_id", models.NUMBER, nullable=True),
        sa.Column("layout", models.NUMBER, nullable=False),
        sa.Column("golden", models.JsonText(), nullable=False),
        sa.Column("dirty", sa.SmallInteger(), nullable=False),
        sa.Column("rev", models.NUMBER, nullable=False),
        sa.CheckConstraint(
            "(state = 2) = (into_id is not null)", name=op.f("ck_entity_merged_into")
        ),
        sa.ForeignKeyConstraint(["into_id"], ["entity.id"], name=op.f("fk_entity_into_id")),
        sa.ForeignKeyConstraint(["layout"], ["layout.id"], name=op.f("fk_entity_layout")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity")),
    )
    with op.batch_alter_table("entity", schema=None) as batch_op:
        batch_op.create_index(
            "ix_entity_dirty",
            ["kind", "id"],
            unique=False,
            sqlite_where=sa.text("dirty > 0"),
            postgresql_where=sa.text("dirty > 0"),
        )

    op.create_table(
        "source",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("instance_id", models.NUMBER, nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("selection", models.JsonText(), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("cursor", models.JsonText(), nullable=True),
        sa.Column("listing", models.JsonText(), nullable=True),
        sa.Column("listed_at", models.UtcDateTime(), nullable=True),
        sa.Column("tick", models.NUMBER, nullable=False),
        sa.Column("guard", models.JsonText(), nullable=True),
        sa.Column("checked_at", models.UtcDateTime(), nullable=True),
        sa.Column("due_at", models.UtcDateTime(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instance.id"], name=op.f("fk_source_instance_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("instance_id", "object", name=op.f("uq_source_instance_id_object")),
    )
    op.create_table(
        "link",
        sa.Column("id", models.NUMBER, nullable=False),
        sa.Column("entity_id", models.NUMBER, nullable=True),
        sa.Column("source_id", sa.SmallInteger(), nullable=False),
        sa.Column("instance_id", sa.SmallInteger(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("key", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("into_id", models.NUMBER, nullable=True),
        sa.Column("layout", models.NUMBER, nullable=True),
        sa.Column("seen", models.JsonText(), nullable=True),
        sa.Column("base", models.JsonText(), nullable=True),
        sa.Column("held", models.JsonText(), nullable=True),
        sa.Column("match_keys", sa.LargeBinary(), nullable=True),
        sa.Column("alike", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("modified_at", models.UtcDateTime(), nullable=True),
        sa.Column("stamps", models.JsonText(), nullable=True),
        sa.Column("inactive", sa.SmallInteger(), nullable=False),
        sa.Column("rev", models.NUMBER, nullable=False),
        sa.Column("acked", models.NUMBER, nullable=False),
        sa.Column("owes", sa.SmallInteger(), nullable=False),
        sa.Column("ends", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", models.UtcDateTime(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("missing_at", models.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state not in (4, 5, 6) or entity_id is not null", name=op.f("ck_link_has_entity")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_link_entity_id")),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_link_instance_id")),
        sa.ForeignKeyConstraint(["into_id"], ["link.id"], name=op.f("fk_link_into_id")),
        sa.ForeignKeyConstraint(["layout"], ["layout.id"], name=op.f("fk_link_layout")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_link_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(
            "ix_link_new",
            ["kind", "id"],
            unique=False,
            sqlite_where=sa.text("state = 1"),
            postgresql_where=sa.text("state = 1"),
        )
        batch_op.create_index(
            "ix_link_owing",
            ["source_id", "kind", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("owes > 0"),
            postgresql_where=sa.text("owes > 0"),
        )
        batch_op.create_index(
            "ix_link_into",
            ["into_id"],
            unique=False,
            sqlite_where=sa.text("into_id is not null"),
            postgresql_where=sa.text("into_id is not null"),
        )
        batch_op.create_index(
            "ix_link_past",
            ["entity_id"],
            unique=False,
            sqlite_where=sa.text("state not in (4, 5) and entity_id is not null"),
            postgresql_where=sa.text("state not in (4, 5) and entity_id is not null"),
        )
        batch_op.create_index(
            "ix_link_risk",
            ["source_id", "owes"],
            unique=False,
            sqlite_where=sa.text("owes > 1"),
            postgresql_where=sa.text("owes > 1"),
        )
        batch_op.create_index(
            "uq_link_key",
            ["key"],
            unique=True,
            sqlite_where=sa.text("key is not null"),
            postgresql_where=sa.text("key is not null"),
        )
        batch_op.create_index(
            "uq_link_place",
            ["entity_id", "instance_id"],
            unique=True,
            sqlite_where=sa.text("state in (4, 5)"),
            postgresql_where=sa.text("state in (4, 5)"),
        )
        batch_op.create_index(
            "uq_link_record",
            ["source_id", "record_id"],
            unique=True,
            sqlite_where=sa.text("record_id is not null"),
            postgresql_where=sa.text("record_id is not null"),
        )

    op.create_table(
        "listed",
        sa.Column("source_id", sa.SmallInteger(), nullable=False),
        sa.Column("listing", models.NUMBER, autoincrement=False, nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_listed_source_id")),
        sa.PrimaryKeyConstraint("source_id", "listing", "record_id", name=op.f("pk_listed")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "match_key",
        sa.Column("key", models.NUMBER, autoincrement=False, nullable=False),
        sa.Column("link_id", models.NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_match_key_link_id")),
        sa.PrimaryKeyConstraint("key", "link_id", name=op.f("pk_match_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sent",
        sa.Column("id", models.NUMBER, nullable=False),
        sa.Column("source_id", sa.SmallInteger(), nullable=False),
        sa.Column("link_id", models.NUMBER, nullable=False),
        sa.Column("run_id", models.NUMBER, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("risk", sa.SmallInteger(), nullable=False),
        sa.Column("golden_rev", models.NUMBER, nullable=False),
        sa.Column("link_rev", models.NUMBER, nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("vals", models.JsonText(), nullable=True),
        sa.Column("before", models.JsonText(), nullable=True),
        sa.Column("result", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_at", models.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_sent_link_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_sent_run_id")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_sent_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent")),
    )
    with op.batch_alter_table("sent", schema=None) as batch_op:
        batch_op.create_index("ix_sent_link", ["link_id", "id"], unique=False)
        batch_op.create_index(
            "ix_sent_open",
            ["link_id"],
            unique=False,
            sqlite_where=sa.text("result is null"),
            postgresql_where=sa.text("result is null"),
        )
        batch_op.create_index("ix_sent_risk", ["source_id", "risk", "id"], unique=False)

    op.create_table(
        "waiting",
        sa.Column("link_id", models.NUMBER, nullable=False),
        sa.Column("entity_id", models.NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_waiting_entity_id")),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_waiting_link_id")),
        sa.PrimaryKeyConstraint("link_id", "entity_id", name=op.f("pk_waiting")),
        sqlite_with_rowid=False,
    )
    # autogenerate cannot see an index on expressions
    op.create_index(
        "uq_issue_open",
        "issue",
        [
            "what",
            sa.text("coalesce(source_id, 0)"),
            sa.text("coalesce(entity_id, 0)"),
            sa.text("coalesce(link_id, 0)"),
            sa.text("coalesce(field_id, 0)"),
            "cause",
        ],
        unique=True,
        sqlite_where=sa.text("closed_at is null"),
        postgresql_where=sa.text("closed_at is null"),
    )
