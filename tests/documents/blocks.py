"""The fenced blocks of README and docs, and the command lines in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commands import DOCUMENTS, ROOT

_FENCE = re.compile(r"^(?P<indent>[ ]*)```(?P<language>\w*)\n(?P<text>.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s{2,}# .*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block, without the indentation of a list."""

    document: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}: {self.text.splitlines()[0].strip()}"

    @property
    def commands(self) -> list[str]:
        """Its command lines, each on one line and without the comment behind it; none unless it is ``sh``."""
        if self.language != "sh":
            return []
        lines = re.sub(r"\\\n\s*", "", self.text)
        # A quote that is open at the end of a line continues in the next.
        joined: list[str] = []
        for line in lines.splitlines():
            if joined and joined[-1].count("'") % 2:
                joined[-1] += " " + line.strip()
            else:
                joined.append(line)
        return [_COMMENT.sub("", line).strip() for line in joined if line.strip()]


def blocks(*documents: Path) -> list[Block]:
    """Every fenced block of ``documents``, or of all of them, in the order in which they stand."""
    return [block for document in documents or DOCUMENTS for block in _blocks(document)]


def block(document: str, first: str) -> Block:
    """The block of ``document`` whose first line begins with ``first``."""
    (found,) = [one for one in _blocks(ROOT / document) if one.text.lstrip().startswith(first)]
    return found


def _blocks(document: Path) -> Iterator[Block]:
    for match in _FENCE.finditer(document.read_text()):
        indent = match["indent"]
        text = "\n".join(line.removeprefix(indent) for line in match["text"].splitlines())
        yield Block(document=str(document.relative_to(ROOT)), language=match["language"], text=text)
