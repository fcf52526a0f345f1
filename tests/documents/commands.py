"""The commands that README and docs tell people to run, found in their text."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^[ ]*```(?P<language>\w*)\n(?P<text>.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_SHELL = ("", "sh", "bash", "console")
_PROGRAMS = ("make", "main.py", "bootstrap.py", "mlflow-sso", "cdk8s-mlflow")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line of one of our programs, and where it stands."""

    document: str
    program: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}: {self.program} {' '.join(self.arguments)}"


def commands(document: Path) -> list[Command]:
    """Our commands in fenced shell blocks and in code spans of ``document``, each once."""
    name = str(document.relative_to(ROOT))
    return list(dict.fromkeys(command for line in _lines(document.read_text()) for command in _ours(name, line)))


def _lines(text: str) -> Iterator[str]:
    for block in _FENCE.finditer(text):
        if block["language"] in _SHELL:
            yield from block["text"].replace("\\\n", " ").splitlines()
    yield from _SPAN.findall(_FENCE.sub("", text))


def _ours(document: str, line: str) -> Iterator[Command]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # prose in a code span
        return
    # What a container is told to run is a command of ours, too.
    words = words[words.index("--") + 1 :] if words[:1] == ["kubectl"] and "--" in words else words
    if words[:1] == ["python"]:
        words = words[1:]
    if words and words[0] in _PROGRAMS and not any("=" in word for word in words[:1]):
        yield Command(document, words[0], tuple(words[1:]))
