"""From environment files to a finished tree: one in this process, many in two."""

import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from cdk8s_mlflow.settings import Settings

_PROCESSES = 2
_WORTH_PROCESSES = 4
"""Environments from which a second process pays for its start of a second or so."""


class SynthesisError(Exception):
    """A worker process ended badly; the text has the end of what it said."""


def synthesize(
    environments: Mapping[Path, Settings], *, folder: Path, changed: frozenset[Path], done: Callable[[str], None]
) -> None:
    """Render every environment below ``folder``; ``done`` is called with each name.

    ``changed`` are files whose settings differ from their file (by an override), which a worker could not read.

    Raises:
        SynthesisError: a worker process ended badly.
    """
    many = len(environments) >= _WORTH_PROCESSES
    here = [file for file in environments if file in changed or not many]
    elsewhere = [file for file in environments if file not in here]
    for name in _in_processes(elsewhere, folder):
        done(name)
    for file in here:
        from cdk8s_mlflow.render import render

        render(environments[file], environment=file.stem, folder=folder / file.stem)
        done(file.stem)


def _in_processes(files: list[Path], folder: Path) -> Iterator[str]:
    shares = [files[start::_PROCESSES] for start in range(_PROCESSES)]
    workers = [_start(share, folder) for share in shares if share]
    try:
        yield from _lines(workers)
        for worker in workers:
            _check(worker)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def _start(files: list[Path], folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-O", "-m", "cdk8s_mlflow.worker", str(folder), *map(str, files)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _lines(workers: list[subprocess.Popen[str]]) -> Iterator[str]:
    with selectors.DefaultSelector() as ready:
        for worker in workers:
            ready.register(_output(worker), selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if line:
                    yield line.strip()
                else:
                    ready.unregister(key.fileobj)


def _output(worker: subprocess.Popen[str]) -> IO[str]:
    assert worker.stdout is not None  # noqa: S101  (asked for as a pipe)
    return worker.stdout


def _check(worker: subprocess.Popen[str]) -> None:
    errors = worker.stderr.read() if worker.stderr else ""
    if worker.wait():
        last = errors.strip().splitlines()[-1:] or ["it said nothing"]
        raise SynthesisError(f"rendering failed: {last[0]}")
