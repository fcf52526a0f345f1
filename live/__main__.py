"""``python -m live``: the environment ``local`` on this machine, until Ctrl-C."""

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cdk8s_mlflow.releases import RELEASES
from cdk8s_mlflow.settings import Settings, SettingsError
from live.cluster import JobError, PodError
from live.cluster.image import MissingImageError
from live.logins import write_logins
from live.neighbours import Neighbours
from live.only_one import BusyError, need_ports, only_one
from live.processes import resident
from live.provisioning import ProvisioningError
from live.rendering import Rendering, RenderingError
from live.servers import MissingProgramError, ServerError
from live.servers.cache import cache_root
from live.system import System

OPENBAO_PORTS = (30820, 30821)
"""The settings name no address of the secret store: pods never reach it."""

EXPECTED = (
    BusyError,
    JobError,
    MissingImageError,
    MissingProgramError,
    PodError,
    ProvisioningError,
    RenderingError,
    ServerError,
    SettingsError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM; 1 where it does not come up."""
    options = _options(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        _run(options.release, options.state)
    except EXPECTED as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    _say("stopped")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m live", description=__doc__)
    parser.add_argument("--release", choices=RELEASES, help="by default the one of environments/local.yaml")
    parser.add_argument("--state", type=Path, default=cache_root() / "live", help="folder that keeps all data")
    return parser.parse_args(arguments)


def _interrupt(*_: object) -> None:
    # The second Ctrl-C must not cut the stopping short: it would leave processes behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(release: str | None, state: Path) -> None:
    begin = time.monotonic()
    committed = Rendering.committed()
    release = release or committed.settings.release
    folder = state / release
    with ExitStack() as stack:
        stack.enter_context(only_one(state, url=committed.settings.ingress.public_url))
        need_ports([*fixed_ports(committed.settings), *OPENBAO_PORTS])
        own = committed.settings.release == release
        rendering = committed if own else Rendering.copy(folder / "rendered", release=release)
        _say(f"starting MLflow {release} and its neighbours; the first time takes some minutes")
        neighbours = Neighbours.of(rendering.settings, folder=folder, openbao_ports=OPENBAO_PORTS, say=_say)
        stack.enter_context(neighbours)
        system = stack.enter_context(System(rendering, neighbours, folder=folder, say=_say))
        logins = write_logins(folder / "bootstrap.env", neighbours.administration)
        megabytes = resident(os.getpid()) // 2**20
        seconds = time.monotonic() - begin
        _say(f"\nready after {seconds:.0f} s, with {megabytes} MB of memory\n{_description(system, logins)}")
        stack.callback(_say, "\nstopping")
        signal.pause()


def fixed_ports(settings: Settings) -> list[int]:
    """Where the door and the neighbours listen."""
    authentication, artifacts = settings.authentication, settings.artifacts
    redis = [authentication.redis.port] if authentication.redis else []
    s3 = [int(artifacts.endpoint.rpartition(":")[2])] if artifacts.endpoint else []
    return [settings.ingress.public_port, settings.database.port, authentication.keycloak_port, *redis, *s3]


def _description(system: System, logins: Path) -> str:
    keycloak = system.neighbours.keycloak
    users = [
        f"  {user.email:<20} {user.password:<14} {user.group or 'in no group: refused'}"
        for user in system.users.values()
    ]
    return "\n".join(
        [
            f"\nMLflow    {system.url}",
            f"Keycloak  {keycloak.url}/admin/  {keycloak.admin_user} {keycloak.admin_password}",
            f"authority {system.ca}",
            f"logs      {system.cluster.volumes.folder}",
            f"bootstrap set -a; . {shlex.quote(str(logins))}; set +a",
            "\nlog in as",
            *users,
            "\nCtrl-C stops everything.",
        ]
    )


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
