"""Whether changed Secrets can be used: what start-up checks, and what a half-written file lacks."""

import configparser
import ssl
from collections.abc import Iterator, Mapping

from mlflow_sso.errors import ProgramError
from mlflow_sso.releases import Release
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.serve import preflight
from mlflow_sso.serve.environment import mounted_variables, server_variables


def problems_of_change(release: Release, root: SecretsRoot, given: Mapping[str, str]) -> Iterator[str]:
    """A line for each thing because of which new workers could not start, or would not get far."""
    try:
        yield from preflight.holes({**given, **mounted_variables(root)})
        yield from preflight.problems(release, root, server_variables(release, root, given))
    except ProgramError as error:
        yield error.message
    yield from _credentials(root)
    yield from _authorities(root)


def _credentials(root: SecretsRoot) -> Iterator[str]:
    file = root.file("s3", "credentials")
    if not file.parent.is_dir():
        return
    # Raw, since a key may hold a percent sign; and no section's values count in the others.
    parser = configparser.RawConfigParser(default_section="")
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        yield f"{file} cannot be read as a credentials file: it comes from mlflow-s3-secret"
        return
    for key in ("aws_access_key_id", "aws_secret_access_key"):
        if not any(parser.get(section, key, fallback="") for section in parser.sections()):
            yield f"{file} has no {key}: it comes from mlflow-s3-secret"


def _authorities(root: SecretsRoot) -> Iterator[str]:
    for file in root.ca_files():
        try:
            ssl.create_default_context(cafile=str(file))
        except OSError:  # ssl.SSLError is one
            yield f"{file} holds no certificate that can be read"
