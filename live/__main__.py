"""``python -m live``: the environment ``local`` on a Kubernetes node of this machine, until Ctrl-C."""

import argparse
import os
import select
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cdk8s_mlflow.releases import RELEASES
from cdk8s_mlflow.settings import SettingsError, load
from live.local import API_PORT, FILE, HTTPS_PORT, PORTS, Local, running_local
from live.lock import BusyError, hold_lock, need_ports
from live.logins import write_logins
from live.node.privileges import require_privileges
from live.processes import resident
from live.provisioning import ProvisioningError
from live.servers import MissingProgramError, ServerError
from live.servers.cache import cache_root
from live.servers.process import passable

EXPECTED = (
    BusyError,
    MissingProgramError,
    ProvisioningError,
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
    parser.add_argument(
        "--release",
        choices=RELEASES,
        action="append",
        help="by default the one of environments/local.yaml; given twice, two environments run side by side",
    )
    parser.add_argument("--state", type=Path, help="folder that keeps all data; by default in the cache")
    options = parser.parse_args(arguments)
    if options.release and len(options.release) > len(set(options.release)):
        parser.error("argument --release: each release can run once")
    return options


def _interrupt(*_: object) -> None:
    # The second Ctrl-C must not cut the stopping short: it would leave processes behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(releases: Sequence[str] | None, state: Path | None) -> None:
    begin = time.monotonic()
    # Before anything is written or built: without root all of that would be in vain.
    require_privileges()
    state = state or cache_root() / "live"
    settings = load(FILE)
    releases = releases or [settings.release]
    with ExitStack() as stack:
        # The lock before the ports: of two at once the second is told of the first, not of its ports.
        stack.enter_context(hold_lock(state, url=settings.ingress.public_url))
        need_ports([HTTPS_PORT, API_PORT, *PORTS.values()])
        _say(
            f"starting a node with MLflow {' and '.join(releases)}; "
            "the first time takes half an hour, later ones a minute"
        )
        folder = passable(state) / "-".join(releases)

        def say(text: str) -> None:
            _say(f"{time.monotonic() - begin:4.0f} s  {text}")

        local = stack.enter_context(running_local(releases, folder=folder, say=say))
        megabytes = resident(os.getpid()) // 2**20
        description = _description(local, folder)
        _say(f"\nready after {time.monotonic() - begin:.0f} s, with {megabytes} MB of memory\n{description}")
        # Registered last, so said first on the way out.
        stack.callback(_say, "\nstopping")
        wait_for_signal()


def wait_for_signal() -> None:
    """Wait for one, also if it came a moment ago or another thread got it: `signal.pause` misses both."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer)
    select.select([reader], [], [])


def _description(local: Local, folder: Path) -> str:
    keycloak = local.backing.keycloak
    logins = write_logins(folder / "bootstrap.env", local.backing.administration)
    addresses = [f"MLflow {e.settings.release:<7}{e.settings.ingress.public_url}" for e in local.environments]
    users = [
        f"  {user.email:<20} {user.password:<18} {user.group or 'in no group: refused'}"
        for user in local.users.values()
    ]
    return "\n".join(
        [
            "",
            *addresses,
            f"Keycloak      {local.environments[0].settings.authentication.keycloak_url}/admin/  "
            f"{keycloak.admin_user} {keycloak.admin_password}",
            f"authority     {local.backing.certificate.ca}",
            f"kubectl       export KUBECONFIG={shlex.quote(str(local.node.kubeconfig))}",
            f"              {shlex.quote(str(local.node.kubectl_program))} get pods --all-namespaces",
            f"bootstrap     set -a; . {shlex.quote(str(logins))}; set +a",
            f"logs          {local.node.folder}",
            "\nlog in as",
            *users,
            "\nCtrl-C stops everything.",
        ]
    )


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
