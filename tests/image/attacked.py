"""A site of its own for tests that change everything in it, and programs that ask its application from inside."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from serving import AS_SERVER, SETTINGS, Site, make_users, mount_server_secrets

INSIDE = Path(__file__).with_name("inside")
"""Modules for a release's interpreter."""

RUN = f"""{AS_SERVER}
import runpy
sys.path.insert(0, {str(INSIDE)!r})
runpy.run_path({str(INSIDE)!r} + "/" + sys.argv[3], run_name="__main__")
"""


@contextmanager
def new_site(users_once: Site, *others: str, **environment: str) -> Iterator[Site]:
    """Databases with the usual users, ``others``, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="attacked-") as folder:
        pod = replace(users_once.pod, settings={**SETTINGS, **environment}).copy(Path(folder))
        mount_server_secrets(pod)
        yield Site(pod=pod, keys=users_once.keys | (make_users(pod, *others) if others else {}))


def run_inside(site: Site, program: str, *arguments: str) -> Any:
    """What a program of the folder ``inside`` prints last, as JSON; it gets the access keys and ``arguments``."""
    done = site.pod.script(RUN, str(site.pod.secrets_root), json.dumps(site.keys), program, *arguments)
    assert done.code == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
