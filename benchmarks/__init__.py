"""Benchmarks: each measure beside its floor, in the same run. `python -m benchmarks --help`."""
