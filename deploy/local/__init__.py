"""The embedded stack: every real part of Hireflow on one machine, under one supervisor.

It owns a data directory (servers' data, keys, secrets, logs, state), the processes started from
it and the console script `hireflow`. Nothing imports this package; it may import everything.
"""
