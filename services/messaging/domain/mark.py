"""How far somebody has read in a thread."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class ReadMark:
    """A reader's place in a thread: read until `sequence`, own messages after it not counted.

    Who writes has not read what came in between, so an own message moves the mark only where
    nothing unread is before it; otherwise it is one more in `own_after`. That makes the number of
    unread messages a difference, however long the thread is.
    """

    sequence: int = 0
    own_after: int = 0

    def unread(self, message_count: int) -> int:
        """Tell how many of a thread's messages the reader has neither read nor written."""
        return message_count - self.sequence - self.own_after

    def read(self, sequence: int, own: int) -> Self:
        """Note that the reader has read until a later message.

        `own` says how many of the messages from the mark to there are the reader's own.
        """
        return type(self)(sequence, self.own_after - own)

    def wrote(self, sequence: int) -> Self:
        """Note the reader's own new message, the last of the thread."""
        if self.unread(sequence - 1) == 0:
            return type(self)(sequence)
        return type(self)(self.sequence, self.own_after + 1)
