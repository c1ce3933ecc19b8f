"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_DIGEST, _ID, _TIME = sa.String(71), sa.String(26), sa.String(20)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "view",
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("offers", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "kind",
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("view", _DIGEST, sa.ForeignKey("view.digest"), nullable=False),
        sa.Column("evidence", _DIGEST, sa.ForeignKey("evidence.digest"), nullable=False),
        sa.Column("midrs", sa.Text, nullable=False),
        sa.Column("kernel", sa.Text),
        sa.Column("cntfrq_hz", sa.BigInteger),
        sa.Column("dczid", sa.Integer),
        sa.Column("gmid", sa.Integer),
        sa.Column("page_size", sa.Integer),
        sa.Column("capabilities", _DIGEST, nullable=False),
    )
    op.create_table(
        "actor",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, unique=True),
    )
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", _ID, sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("request", _ID, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("previous", _DIGEST, unique=True),
        sa.Column("digest", _DIGEST, nullable=False, unique=True),
    )
    op.create_index("ix_event_object", "event", ["object"])
    op.create_table(
        "host",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("retired_at", _TIME),
    )
    op.create_table(
        "observation",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("host", _ID, sa.ForeignKey("host.id"), nullable=False),
        sa.Column("kind", _DIGEST, sa.ForeignKey("kind.digest"), nullable=False),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        sa.Column("event", sa.BigInteger, sa.ForeignKey("event.seq"), nullable=False),
    )
    op.create_index("ix_observation_host", "observation", ["host"])
    op.create_index("ix_observation_kind", "observation", ["kind"])
    op.create_table(
        "observed_evidence",
        sa.Column("observation", _ID, sa.ForeignKey("observation.id"), primary_key=True),
        sa.Column("since", _TIME, primary_key=True),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("evidence", _DIGEST, sa.ForeignKey("evidence.digest"), nullable=False),
        sa.Column("document", _DIGEST, nullable=False),
    )
    op.create_table(
        "guest",
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("event", sa.BigInteger, sa.ForeignKey("event.seq"), nullable=False),
    )
    op.create_table(
        "instance",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("host", _ID, sa.ForeignKey("host.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("guest", _DIGEST, sa.ForeignKey("guest.digest")),
        sa.Column("known", sa.Text, nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False),
    )
    op.create_index("ix_instance_host", "instance", ["host"])
    op.create_table(
        "pool",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
    )
    op.create_table(
        "level",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("pool", _ID, sa.ForeignKey("pool.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", _DIGEST, nullable=False),
        sa.Column("cpu", _DIGEST, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("inputs", sa.LargeBinary, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("catalogue", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("event", sa.BigInteger, sa.ForeignKey("event.seq"), nullable=False),
        sa.UniqueConstraint("pool", "version"),
    )
    op.create_index("ix_level_digest", "level", ["digest"])
    op.create_table(
        "verdict",
        sa.Column("guest", _DIGEST, primary_key=True),
        sa.Column("kind", _DIGEST, sa.ForeignKey("kind.digest"), primary_key=True),
        sa.Column("policy", _DIGEST, primary_key=True),
        sa.Column("engine", sa.String(40), primary_key=True),
        sa.Column("catalogue", sa.String(80), primary_key=True),
        sa.Column("start", sa.String(7), nullable=False),
        sa.Column("arrive", sa.String(7), nullable=False),
    )
