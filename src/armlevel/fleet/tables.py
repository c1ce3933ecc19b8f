"""The tables, as the newest revision of the migrations has them.

Ids are digests of contents or ULIDs. Times are texts (RFC 3339, UTC), which sort as the times do. What has a digest is
kept as the canonical JSON that the digest is of, compressed.
"""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "METADATA",
    "REVISION",
    "actor",
    "event",
    "evidence",
    "guest",
    "host",
    "instance",
    "kind",
    "level",
    "observation",
    "observed_evidence",
    "pool",
    "view",
]

#: The newest revision of the migrations.
REVISION = "0002"

METADATA = sa.MetaData()
_DIGEST, _ID, _TIME = sa.String(71), sa.String(26), sa.String(20)

view = sa.Table(
    "view",
    METADATA,
    sa.Column("digest", _DIGEST, primary_key=True),
    sa.Column("offers", sa.LargeBinary, nullable=False),
)
evidence = sa.Table(
    "evidence",
    METADATA,
    sa.Column("digest", _DIGEST, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
kind = sa.Table(
    "kind",
    METADATA,
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
actor = sa.Table(
    "actor",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("name", sa.Text, unique=True),
    sa.Column("salt", sa.String(32)),
)
event = sa.Table(
    "event",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("actor", _ID, sa.ForeignKey("actor.id"), nullable=False),
    sa.Column("request", _ID, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False, index=True),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("state", _DIGEST),
    sa.Column("previous", _DIGEST, unique=True),
    sa.Column("digest", _DIGEST, nullable=False, unique=True),
)
host = sa.Table(
    "host",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("labels", sa.Text, nullable=False),
    sa.Column("retired_at", _TIME),
)
observation = sa.Table(
    "observation",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("host", _ID, sa.ForeignKey("host.id"), nullable=False, index=True),
    sa.Column("kind", _DIGEST, sa.ForeignKey("kind.digest"), nullable=False, index=True),
    sa.Column("first_seen", _TIME, nullable=False),
    sa.Column("last_seen", _TIME, nullable=False),
    sa.Column("event", sa.BigInteger, sa.ForeignKey("event.seq"), nullable=False),
)
observed_evidence = sa.Table(
    "observed_evidence",
    METADATA,
    sa.Column("observation", _ID, sa.ForeignKey("observation.id"), primary_key=True),
    sa.Column("since", _TIME, primary_key=True),
    sa.Column("until", _TIME, nullable=False),
    sa.Column("evidence", _DIGEST, sa.ForeignKey("evidence.digest"), nullable=False),
    sa.Column("document", _DIGEST, nullable=False),
)
guest = sa.Table(
    "guest",
    METADATA,
    sa.Column("digest", _DIGEST, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("event", sa.BigInteger, sa.ForeignKey("event.seq"), nullable=False),
)
instance = sa.Table(  # a running VM
    "instance",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("host", _ID, sa.ForeignKey("host.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("guest", _DIGEST, sa.ForeignKey("guest.digest")),
    sa.Column("known", sa.Text, nullable=False),
    sa.Column("since", _TIME, nullable=False),
    sa.Column("until", _TIME, nullable=False),
)
pool = sa.Table(
    "pool",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
)
level = sa.Table(
    "level",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("pool", _ID, sa.ForeignKey("pool.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", _DIGEST, nullable=False, index=True),
    sa.Column("cpu", _DIGEST, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("inputs", sa.LargeBinary, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("catalogue", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("event", sa.BigInteger, sa.ForeignKey("event.seq"), nullable=False),
    sa.UniqueConstraint("pool", "version"),
)
