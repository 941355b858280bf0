"""Rows of jobs: tables, and the queries on them by topic."""
