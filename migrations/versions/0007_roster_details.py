"""roster_details."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision: str = '0007'
down_revision: str | None = '0006'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Change the schema."""
    with op.batch_alter_table('roster_member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('expertise', sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('term_from', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('term_until', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('away_until', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('away_why', sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False, server_default=''))



def downgrade() -> None:
    """A release is left by restoring the backup that was made before it."""
    raise NotImplementedError("restore the backup that was made before the migration")
