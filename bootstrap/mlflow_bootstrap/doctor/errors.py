"""Why a check has no answer."""


class CannotReadError(Exception):
    """A system gives no answer to a question; ``remedy`` says what to do."""

    def __init__(self, text: str, *, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy
