"""A task that was told to end, though a library lost it."""

import asyncio


def end_if_told() -> None:
    """Raise CancelledError if this task was cancelled before; for the head of an endless loop.

    `asyncio.wait_for` of Python 3.11, which NATS' client is built on, forgets a cancellation that
    comes together with the answer: the loop would go on, and whoever stops the process wait, for
    ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
