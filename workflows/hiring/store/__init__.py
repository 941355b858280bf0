"""The tables of hiring and every query on them, by topic."""
