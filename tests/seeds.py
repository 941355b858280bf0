"""The seed of what a test draws at random."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_seed() -> Iterator[int]:
    """Take it from HIREFLOW_TEST_SEED, else from the clock; what fails with it shows it."""
    seed = int(os.environ.get("HIREFLOW_TEST_SEED") or time.time_ns())
    failed = True
    try:
        yield seed
        failed = False
    finally:
        if failed:
            sys.stderr.write(f"drawn with HIREFLOW_TEST_SEED={seed}\n")
