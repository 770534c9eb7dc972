"""draws."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql


revision: str = '0006'
down_revision: str | None = '0005'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

CATEGORIES = ("DISCIPLINE", "ORGANIZATION", "LEGAL", "EXPERT", "STAKEHOLDER", "PUBLIC", "MEDIA")
# PostgreSQL has this type since 0001.
CATEGORY = sa.Enum(*CATEGORIES, name="category").with_variant(
    postgresql.ENUM(*CATEGORIES, name="category", create_type=False), "postgresql"
)


def upgrade() -> None:
    """Change the schema."""
    op.create_table('draw',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('PREPARED', 'FIXED', 'HELD', 'VOID', name='drawstate'), nullable=False),
    sa.Column('chair_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('chair_category', CATEGORY, nullable=False),
    sa.Column('chair_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('scrutineer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('terms', sa.JSON(), nullable=False),
    sa.Column('candidates', sa.JSON(), nullable=False),
    sa.Column('people', sa.JSON(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=True),
    sa.Column('root', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('seed', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('drawn', sa.JSON(), nullable=False),
    sa.Column('ended_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('void_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['case.id'], ),
    sa.ForeignKeyConstraint(['chair_id'], ['person.id'], ),
    sa.ForeignKeyConstraint(['scrutineer_id'], ['person.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('draw', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draw_case_id'), ['case_id'], unique=False)

    op.create_table('contribution',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('draw_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('contributor', sa.Enum('CHAIR', 'SCRUTINEER', name='contributor'), nullable=False),
    sa.Column('commitment', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('secret', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('draw_id', 'contributor')
    )
    with op.batch_alter_table('contribution', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contribution_draw_id'), ['draw_id'], unique=False)

    op.create_table('seat_offer',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('draw_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('person_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('candidate', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('category', CATEGORY, nullable=False),
    sa.Column('state', sa.Enum('OPEN', 'ACCEPTED', 'DECLINED', name='offerstate'), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('answered_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['case.id'], ),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], ),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('draw_id', 'candidate')
    )
    with op.batch_alter_table('seat_offer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_seat_offer_case_id'), ['case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_seat_offer_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_seat_offer_person_id'), ['person_id'], unique=False)



def downgrade() -> None:
    """A release is left by restoring the backup that was made before it."""
    raise NotImplementedError("restore the backup that was made before the migration")
