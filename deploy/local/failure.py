"""What stops a stack, said to the person in front of it."""


class StackFailure(Exception):
    """The stack cannot start or go on; the text is one clear sentence, with log lines if any.

    Raised for a taken port, a missing binary, a data directory in use, a child that crashed or
    never became ready. Whoever catches it prints the text: a traceback would add nothing.
    """


class NotReady(Exception):
    """A process runs but does not serve yet; the text says what is still missing."""
