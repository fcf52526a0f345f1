"""Real servers and systems that only tests start, beside those of ``live``."""
