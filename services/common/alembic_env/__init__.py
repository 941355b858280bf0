"""The environment that alembic runs migrations in; loaded by path."""
