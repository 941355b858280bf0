"""How Hireflow is put to work: the embedded stack of one machine."""
