"""From environment files to a finished tree: one in this process, many in two at a time."""

import os
import sys
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.synth.render_cache import RenderCache

_PROCESSES = 2
_WORTH_PROCESSES = 4
"""Environments from which a second process pays for its start of a second or so."""
_MANY = 100
_SHARE_OF_MANY = 40
"""Environments that one process renders if there are many: Node keeps what it has made, nearly a megabyte of each."""
_SMALL_NURSERY = "--max-semi-space-size=2"
"""Megabytes for V8's young objects; with its own 16 a process holds 40 MB more and is no faster."""


class SynthesisError(Exception):
    """A worker process ended badly; the text has the end of what it said."""


def synthesize(
    environments: Mapping[Path, Settings],
    *,
    folder: Path,
    changed: frozenset[Path],
    done: Callable[[str], None],
    cache: RenderCache | None = None,
) -> None:
    """Render every environment below ``folder`` that ``cache`` does not know; ``done`` is called with each name.

    ``changed`` are files whose settings differ from their file (by an override), which a worker could not read.

    Raises:
        SynthesisError: a worker process ended badly.
    """
    unknown = dict(environments)
    for file, settings in environments.items():
        if cache and cache.restore(file.stem, settings, folder / file.stem):
            del unknown[file]
            done(file.stem)
    _render(unknown, folder, changed, done)
    if cache:
        for file in unknown:
            cache.keep(file.stem, folder / file.stem)


def _render(
    environments: Mapping[Path, Settings], folder: Path, changed: frozenset[Path], done: Callable[[str], None]
) -> None:
    many = len(environments) >= _WORTH_PROCESSES
    # Workers read the files, which do not have what an override has changed.
    here = [file for file in environments if file in changed or not many]
    elsewhere = [file for file in environments if file not in here]
    # First, while this process has no Node.js of its own, whose memory would come on top.
    _in_processes(elsewhere, folder, done)
    for file in here:
        from cdk8s_mlflow.synth.render import render

        render(environments[file], environment=file.stem, folder=folder / file.stem)
        done(file.stem)


def _in_processes(files: list[Path], folder: Path, done: Callable[[str], None]) -> None:
    # A synth of what is known does without.
    from concurrent.futures import ThreadPoolExecutor

    count = ceil(len(files) / _SHARE_OF_MANY) if len(files) > _MANY else _PROCESSES
    shares = [share for share in (files[start::count] for start in range(count)) if share]
    with ThreadPoolExecutor(_PROCESSES) as threads:
        for worker in [threads.submit(_run_worker, share, folder, done) for share in shares]:
            worker.result()


def _run_worker(files: list[Path], folder: Path, done: Callable[[str], None]) -> None:
    command = [sys.executable, "-O", "-m", "cdk8s_mlflow.synth.worker", str(folder), *map(str, files)]
    # What a user sets himself comes later and wins.
    environment = os.environ | {"NODE_OPTIONS": f"{_SMALL_NURSERY} {os.environ.get('NODE_OPTIONS', '')}".strip()}
    # A pipe that is not read while the output is would fill, and stop the worker.
    with TemporaryFile("w+") as errors:
        with Popen(command, stdout=PIPE, stderr=errors, text=True, env=environment) as worker:
            for name in worker.stdout or ():
                done(name.strip())
        errors.seek(0)
        if worker.returncode:
            last = errors.read().strip().splitlines()[-1:] or ["it said nothing"]
            raise SynthesisError(f"rendering failed: {last[0]}")
