"""Events say what their object is after them, and an actor's id stands for a name; a table that nothing wrote goes."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the two columns, and write labels in one order, as they are proved from now on."""
    op.add_column("event", sa.Column("state", sa.String(71)))
    op.add_column("actor", sa.Column("salt", sa.String(32)))
    op.drop_table("verdict")
    host = sa.table("host", sa.column("id", sa.String), sa.column("labels", sa.Text))
    connection = op.get_bind()
    for row in connection.execute(sa.select(host)).all():
        labels = json.dumps(json.loads(row.labels), sort_keys=True)
        connection.execute(sa.update(host).where(host.c.id == row.id).values(labels=labels))
