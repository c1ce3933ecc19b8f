"""What Alembic runs: the revisions, within the transaction of the connection that it was given."""

from __future__ import annotations

from alembic import context

from armlevel.fleet.tables import METADATA

if hasattr(context, "config"):  # only while Alembic runs this file
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        render_as_batch=True,
        transactional_ddl=True,
    )
    context.run_migrations()
