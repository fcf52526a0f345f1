"""Rows on their way to an object of S3 and back: counted, compressed by zstd, encrypted by age, never in a file.

Each step is a thread that reads from a pipe and writes into the next, so memory does not grow with the rows. An age
file can also be decrypted with the program ``age``, and a zstd stream with ``zstd``.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from mlflow_sso.errors import ProgramError, TerminalError, UsageError

CHUNK = 1 << 20

Copy = Callable[[Any], None]
"""Writes rows into a file-like object, or reads them from one."""


class Put(Protocol):
    """Stores what a file-like object gives until its end."""

    def __call__(self, stream: IO[bytes], /) -> None: ...


@dataclass(kw_only=True)
class Digest:
    """A file-like object that counts and hashes what passes through it."""

    stream: Any
    size: int = 0
    """Bytes."""
    error: BaseException | None = None
    """What reading raised; psycopg2 turns it into an error of its own."""
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        return str(self._hash.hexdigest())

    def write(self, data: bytes) -> int:
        self._note(data)
        self.stream.write(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        try:
            data: bytes = self.stream.read(size)
        except BaseException as error:
            self.error = error
            raise
        self._note(data)
        return data

    def _note(self, data: bytes) -> None:
        self.size += len(data)
        self._hash.update(data)


class _Step(threading.Thread):
    """One step of a pipeline; what it raises is kept for ``finish``."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.error = error


def recipients(listed: str) -> list[Any]:
    """The age public keys, separated by commas, to which a dump is encrypted; none for an empty text.

    Raises ``UsageError`` for anything else, lest a dump be written that is not encrypted.
    """
    texts = [text.strip() for text in listed.split(",")] if listed else []
    # Only programs that use pyrage spend the time of its import.
    import pyrage

    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in texts]
    except pyrage.RecipientError:
        raise UsageError(
            "MLFLOW_SSO_BACKUP_RECIPIENTS holds something other than age public keys",
            remedy="list what `age-keygen` prints as public key: age1…, separated by commas",
        ) from None


def identities(text: str) -> list[Any]:
    """The age secret keys of an identity file; raises ``UsageError``, never with the text in it."""
    import pyrage

    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        return [pyrage.x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError:
        raise UsageError(
            "the identity file holds something other than age secret keys",
            remedy="give the file that `age-keygen` wrote: lines of AGE-SECRET-KEY-1…, and comments",
        ) from None


def send(copy: Copy, put: Put, keys: Sequence[Any]) -> Digest:
    """Store what ``copy`` writes; what ``copy`` or ``put`` raises is raised here. Gives what was written.

    If it raises, a damaged object may be left under the name.
    """
    # Only programs that use zstandard spend the time of its import.
    import zstandard

    outlet, inlet = _pipe()
    digest = Digest(stream=zstandard.ZstdCompressor(level=3).stream_writer(inlet, write_size=CHUNK))

    def compress() -> None:
        # Closing the pipe ends the pipeline, also when COPY has failed.
        with inlet:
            copy(digest)
            digest.stream.close()

    steps = [_Step(compress)]
    if keys:
        outlet = _encrypted(outlet, keys, steps)
    with outlet:
        failed = _error_of(lambda: put(outlet))
    _finish(steps, failed)
    return digest


def receive(stream: IO[bytes], copy: Copy, keys: Sequence[Any]) -> Digest:
    """Hand ``copy`` what ``send`` stored; raises ``TerminalError`` if that is damaged or needs another key."""
    import zstandard

    steps: list[_Step] = []
    source = _decrypted(stream, keys, steps) if keys else stream
    with source, zstandard.ZstdDecompressor().stream_reader(source, read_size=CHUNK) as reader:
        digest = Digest(stream=reader)

        def read() -> None:
            copy(digest)
            # COPY may end before the stream does.
            while digest.read(CHUNK):
                pass

        failed = _error_of(read)
    failed = digest.error or failed
    if isinstance(failed, zstandard.ZstdError):
        failed = TerminalError("an object of the dump is damaged or encrypted", remedy="give its key by --identity")
    _finish(steps, failed)
    return digest


def _encrypted(source: IO[bytes], keys: Sequence[Any], steps: list[_Step]) -> IO[bytes]:
    import pyrage

    outlet, inlet = _pipe()

    def encrypt() -> None:
        with source, inlet:
            pyrage.encrypt_io(source, inlet, list(keys))

    steps.append(_Step(encrypt))
    return outlet


def _decrypted(source: IO[bytes], keys: Sequence[Any], steps: list[_Step]) -> IO[bytes]:
    import pyrage

    outlet, inlet = _pipe()

    def decrypt() -> None:
        with source, inlet:
            try:
                pyrage.decrypt_io(source, inlet, list(keys))
            except (pyrage.DecryptError, OSError) as error:
                if isinstance(error, BrokenPipeError):
                    raise
                raise TerminalError(
                    f"cannot decrypt an object of the dump: {error}",
                    remedy="give by --identity the key that belongs to MLFLOW_SSO_BACKUP_RECIPIENTS of that time",
                ) from None

    steps.append(_Step(decrypt))
    return outlet


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return open(read, "rb", buffering=CHUNK), open(write, "wb", buffering=0)  # noqa: PTH123 - file descriptors


def _error_of(work: Callable[[], None]) -> BaseException | None:
    try:
        work()
    except BaseException as error:
        return error
    return None


def _finish(steps: Sequence[_Step], failed: BaseException | None) -> None:
    """Wait for all steps and raise the first cause: an error of ours, then any that is no broken pipe."""
    for step in steps:
        step.join()
    errors = [error for error in (*(step.error for step in steps), failed) if error]
    ours = [error for error in errors if isinstance(error, ProgramError)]
    others = [error for error in errors if not isinstance(error, BrokenPipeError)]
    for error in ours + others + errors:
        raise error
