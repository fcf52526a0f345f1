"""``mlflow-sso serve``: checks what the server needs, then runs the tracking server with single sign-on."""

import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from mlflow_sso import wait_for_schema
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.log import progress
from mlflow_sso.releases import Release, installed
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.serve import directories, preflight
from mlflow_sso.serve.environment import mounted_variables, server_variables, shown
from mlflow_sso.serve.listener import Listener, add_listener_arguments
from mlflow_sso.serve.typed_variables import require_values


def add_arguments(parser: ArgumentParser) -> None:
    """Flags of ``mlflow server`` that Kubernetes has to know of; everything else comes from the environment."""
    parser.add_argument("--app-name", metavar="NAME", help="the plugin's application (default: the release's own)")
    add_listener_arguments(parser)
    wait_for_schema.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Serve until the end, and leave with its exit code; 1, with a line for each thing, where something is missing.

    Raises ``UsageError`` for an application or a setting that this release cannot serve.
    """
    # A first process in a container ignores signals that it has no handler for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    release, listener = installed(), Listener.of(arguments)
    preflight.require_application(release, arguments.app_name)
    root = SecretsRoot(arguments.secrets_root)
    root.set_default_paths()
    trust_mounted_authorities(root)
    variables = server_variables(release, root, os.environ)
    require_values(variables)
    problems = [
        *preflight.holes({**os.environ, **mounted_variables(root)}),
        *preflight.problems(release, root, variables),
        *directories.prepare(variables),
    ]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        return 1
    directories.forget_counts(variables)
    _announce(release, listener, variables)
    # Only now: what is wrong with the settings is said before anything else is imported.
    from mlflow_sso.serve import server

    return server.run(listener, root, wait_for_databases=lambda: wait_for_schema.run(arguments))


def _announce(release: Release, listener: Listener, variables: dict[str, str]) -> None:
    progress(
        "starting the tracking server",
        mlflow=release.mlflow,
        plugin=release.plugin,
        app=release.app_name,
        **asdict(listener),
        settings=shown(variables),
    )
