"""Addenda and short texts of dissents, reasons of withdrawals, questions of fact as a subject; original objections."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision: str = '0008'
down_revision: str | None = '0007'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Change the schema. SQLite keeps the kinds of subject as text; PostgreSQL has a type of its own for them."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TYPE subjectkind ADD VALUE 'QUESTION'")
    op.create_table('addendum',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('dissent_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['dissent_id'], ['dissent.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('dissent_id', 'number')
    )
    with op.batch_alter_table('addendum', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_addendum_case_id'), ['case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_addendum_dissent_id'), ['dissent_id'], unique=False)

    op.create_table('gist',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('dissent_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proposed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('answered_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('approved', sa.Boolean(), nullable=False),
    sa.Column('words', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['dissent_id'], ['dissent.id'], ),
    sa.ForeignKeyConstraint(['proposed_by'], ['person.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('dissent_id', 'number')
    )
    with op.batch_alter_table('gist', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_gist_case_id'), ['case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_gist_dissent_id'), ['dissent_id'], unique=False)

    op.create_table('original_objection',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('report_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('raised_by', sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
    sa.Column('meeting', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('held_on', sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
    sa.Column('exhibit', sa.Integer(), nullable=True),
    sa.Column('wording', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proven', sa.Boolean(), nullable=False),
    sa.Column('found', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['report_id'], ['verification_report.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('report_id', 'number')
    )
    with op.batch_alter_table('original_objection', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_original_objection_case_id'), ['case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_original_objection_report_id'), ['report_id'], unique=False)

    with op.batch_alter_table('dissent', schema=None) as batch_op:
        batch_op.add_column(sa.Column('withdrawal_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=''))

    with op.batch_alter_table('joining', schema=None) as batch_op:
        batch_op.add_column(sa.Column('addenda', sa.Integer(), nullable=False, server_default='0'))



def downgrade() -> None:
    """A release is left by restoring the backup that was made before it."""
    raise NotImplementedError("restore the backup that was made before the migration")
