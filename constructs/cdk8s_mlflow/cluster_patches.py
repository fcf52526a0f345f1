"""What the owner of the CloudNativePG Cluster, which is not ours, adds to it by hand; `synth` prints it."""

import json

from cdk8s_mlflow.settings import Settings


def managed_role_patch(settings: Settings) -> str:
    """What the owner of the CloudNativePG Cluster adds to it, so that it creates the role and reads its password."""
    database = settings.database
    # JSON quotes a name that YAML would read as another type, such as `on` or 0123.
    password = f"passwordSecret:\n          name: {database.role_secret}"
    return f"""\
# Cluster {database.cluster_namespace}/{database.cluster}
spec:
  managed:
    roles:
      - name: {json.dumps(database.role)}
        ensure: present
        login: true
        {"disablePassword: true" if database.client_certificate else password}"""


def cluster_backup_patch(settings: Settings) -> str:
    """What the owner of the CloudNativePG Cluster adds to it, so that it archives to the ObjectStore."""
    database = settings.database
    return f"""\
# Cluster {database.cluster_namespace}/{database.cluster}
spec:
  plugins:
    - name: barman-cloud.cloudnative-pg.io
      isWALArchiver: true
      parameters:
        barmanObjectName: {database.backup_name}"""
