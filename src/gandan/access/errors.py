"""What the house says when it will not do something."""

from django.utils.functional import Promise


class Unscoped(RuntimeError):
    """A guarded table was read without saying who asks. Always a mistake in our code."""


class Refused(Exception):
    """An action that may not or cannot be done, with the sentence that tells the person why."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)
