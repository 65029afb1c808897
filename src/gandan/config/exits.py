"""How a command ends: its exit codes, and the error that carries one with a sentence."""

OK, NO, WRONG, REFUSED, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130


class CommandError(Exception):
    """A command that cannot go on, with the sentence for the person and the exit code."""

    def __init__(self, sentence: str, code: int = WRONG) -> None:
        super().__init__(sentence)
        self.code = code
