"""One file with the public roots and the private certificate authorities.

Only a private authority would drop the public roots: requests, boto3 and OpenSSL read one file, not two.
"""

import os
import tempfile
from pathlib import Path

from mlflow_sso.secrets_root import SecretsRoot

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")


def join_ca_bundle(root: SecretsRoot, *, directory: Path | None = None) -> Path | None:
    """Write ``mlflow-ca-bundle.pem`` into ``directory`` (default: the temporary one) and return it.

    Returns None where no private authority is mounted: certifi's roots are then what every library takes by itself.
    The file is replaced in one step, so that a process that reads it meanwhile never sees half of it.
    """
    private = root.ca_files()
    if not private:
        return None
    # Only programs that use certifi spend the time of its import.
    import certifi

    parts = [Path(certifi.where()), *private]
    target = (directory or Path(tempfile.gettempdir())) / "mlflow-ca-bundle.pem"
    with tempfile.NamedTemporaryFile("wb", dir=target.parent, delete=False) as file:
        file.write(b"\n".join(part.read_bytes() for part in parts))
    Path(file.name).chmod(0o644)
    Path(file.name).replace(target)
    return target


def trust_mounted_authorities(root: SecretsRoot) -> None:
    """Make Python's, requests' and boto3's TLS trust the joined file, unless a variable already names another."""
    bundle = join_ca_bundle(root)
    if bundle is not None:
        for variable in VARIABLES:
            os.environ.setdefault(variable, str(bundle))
