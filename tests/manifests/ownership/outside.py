"""Things outside of a cluster: dumps, buckets, clients, entries of a secret store."""

from tests.manifests.ownership.changes import BUCKET, CLIENT, ELSEWHERE, KEYCLOAK, PREFIX, VAULT, Changes, Shared

SHARED: dict[str, Shared] = {
    # one bucket of dumps
    "dumps": (
        {"backup.target": "s3://dumps/a"},
        {"backup.target": "s3://dumps/a"},
        "backup.target",
        "folder of backups",
    ),
    "dumps within dumps": (
        {"backup.target": "s3://dumps"},
        {"backup.target": "s3://dumps/a/b"},
        "backup.target",
        "folder of backups s3://dumps/a/b",
    ),
    "dumps at one address": (
        {"backup.target": "s3://dumps", "backup.endpoint": "https://s3.example.com"},
        {"backup.target": "s3://dumps", "backup.endpoint": "https://S3.example.com:443/"},
        "backup.target",
        "folder of backups s3://dumps",
    ),
    "backups of the Cluster among dumps": (
        {"backup.target": "s3://dumps", "backup.endpoint": "https://s3.example.com"},
        {"backup.cluster": {"target": "s3://dumps/a", "endpoint": "https://s3.example.com"}},
        "backup.cluster.target",
        "folder of backups s3://dumps/a",
    ),
    # Users may read all artifacts below what they are granted, and a dump holds everything.
    "dumps in the other's artifacts": (
        {"backup.target": "s3://shared/dumps"},
        BUCKET,
        "artifacts.bucket",
        "bucket shared",
    ),
    "artifacts where the other's dumps are": (
        BUCKET,
        {"backup.target": "s3://shared"},
        "backup.target",
        "folder of backups s3://shared",
    ),
    # one S3
    "bucket": (BUCKET, BUCKET, "artifacts.bucket", "bucket shared"),
    "bucket like an instance": ({}, {"artifacts.bucket": "ml-one"}, "artifacts.bucket", "bucket ml-one"),
    "user": ({"artifacts.user": "shared"}, {"artifacts.user": "shared"}, "artifacts.user", "user shared"),
    "user of a renewal": (
        {"artifacts.user": "shared"},
        {"artifacts.user": "shared-rotation"},
        "artifacts.user",
        "user shared-rotation",
    ),
    "policy": ({"artifacts.policy": "shared"}, {"artifacts.policy": "shared"}, "artifacts.policy", "policy shared"),
    "bucket by a full name": (
        BUCKET,
        {**BUCKET, "artifacts.endpoint": "http://minio.minio.svc.cluster.local:9000"},
        "artifacts.bucket",
        "bucket shared",
    ),
    # A Service may have several ports of one server.
    "bucket by another port of the Service": (
        BUCKET,
        {**BUCKET, "artifacts.endpoint": "https://minio.minio.svc"},
        "artifacts.bucket",
        "bucket shared",
    ),
    "bucket by letters and dots": (
        {**BUCKET, "artifacts.endpoint": "https://S3.Example.com.:443/"},
        {**BUCKET, "artifacts.endpoint": "https://s3.example.com", **ELSEWHERE},
        "artifacts.bucket",
        "bucket shared",
    ),
    "bucket by forms of IPv6": (
        {**BUCKET, "artifacts.endpoint": "https://[2001:DB8:0:0::1]:9000"},
        {**BUCKET, "artifacts.endpoint": "https://[2001:db8::1]:9000", **ELSEWHERE},
        "artifacts.bucket",
        "bucket shared",
    ),
    "bucket by IPv4 in IPv6": (
        {**BUCKET, "artifacts.endpoint": "https://[::ffff:192.0.2.7]:9000"},
        {**BUCKET, "artifacts.endpoint": "https://192.0.2.7:9000"},
        "artifacts.bucket",
        "bucket shared",
    ),
    # AWS has the name of a bucket once in all regions of a partition.
    "bucket of AWS in two regions": (
        {**BUCKET, "artifacts.kind": "s3", "artifacts.endpoint": None, "artifacts.region": "eu-west-1"},
        {**BUCKET, "artifacts.kind": "s3", "artifacts.endpoint": "https://s3.us-east-1.amazonaws.com", **ELSEWHERE},
        "artifacts.bucket",
        "bucket shared",
    ),
    "bucket of a loopback address": (
        {**BUCKET, "artifacts.endpoint": "https://minio.localhost:9000"},
        {**BUCKET, "artifacts.endpoint": "https://s3.localhost:9000"},
        "artifacts.bucket",
        "bucket shared",
    ),
    "bucket by the administrator's address": (
        {**BUCKET, "bootstrap.s3_endpoint": "http://s3.example.com"},
        {**BUCKET, "bootstrap.s3_endpoint": "https://s3.example.com:443/", **ELSEWHERE},
        "artifacts.bucket",
        "bucket shared",
    ),
    # one realm
    "client": (CLIENT, CLIENT, "authentication.client_id", "client shared in realm mlflow"),
    "client of two clusters": (CLIENT, {**CLIENT, **ELSEWHERE}, "authentication.client_id", "client shared"),
    "client like an instance": (
        {},
        {"authentication.client_id": "ml-one"},
        "authentication.client_id",
        "client ml-one",
    ),
    "client of machines": (
        {"authentication.machine_client": "shared"},
        {"authentication.machine_client": "shared"},
        "authentication.machine_client",
        "client shared",
    ),
    # A realm has one list of clients, whatever they are for.
    "client of machines and browsers": (
        CLIENT,
        {"authentication.machine_client": "shared"},
        "authentication.machine_client",
        "client shared",
    ),
    "client by another path": (
        CLIENT,
        {**CLIENT, "authentication.keycloak_path": "/auth"},
        "authentication.client_id",
        "client shared",
    ),
    "client by another port": (
        CLIENT,
        {**CLIENT, "authentication.keycloak_port": 8443},
        "authentication.client_id",
        "client shared",
    ),
    "client that looks users up": (
        CLIENT,
        {"authentication.directory_client": "shared"},
        "authentication.directory_client",
        "client shared",
    ),
    "client that looks users up in both": (
        {"authentication.directory_client": "shared"},
        {"authentication.directory_client": "shared"},
        "authentication.directory_client",
        "client shared",
    ),
    "client by the administrator's address": (
        {**CLIENT, "bootstrap.keycloak_url": "https://admin.example.com"},
        {**CLIENT, "bootstrap.keycloak_url": "https://admin.example.com/auth", KEYCLOAK: "b.example.com"},
        "authentication.client_id",
        "client shared",
    ),
    "client scope": (
        {"authentication.groups_scope": "groups"},
        {"authentication.groups_scope": "groups"},
        "authentication.groups_scope",
        "client scope groups",
    ),
    # one store
    "store path": (PREFIX, PREFIX, "secrets.vault_prefix", "store path secret/shared"),
    "store path like an instance": ({}, {"secrets.vault_prefix": "ml-one"}, "secrets.vault_prefix", "secret/ml-one"),
    "store path below another": (
        PREFIX,
        {"secrets.vault_prefix": "shared/other"},
        "secrets.vault_prefix",
        "secret/shared",
    ),
    "store path above another": (
        {"secrets.vault_prefix": "shared/one"},
        PREFIX,
        "secrets.vault_prefix",
        "secret/shared",
    ),
    "store path at a known and an unknown address": (
        {**PREFIX, VAULT: "https://vault.example.com"},
        PREFIX,
        "secrets.vault_prefix",
        "secrets.vault_address of both",
    ),
    "store path by forms of an address": (
        {**PREFIX, VAULT: "https://Vault.example.com:443/"},
        {**PREFIX, VAULT: "https://vault.example.com", **ELSEWHERE},
        "secrets.vault_prefix",
        "store path secret/shared",
    ),
}

APART: dict[str, tuple[Changes, Changes]] = {
    "dumps side by side": ({"backup.target": "s3://dumps/a"}, {"backup.target": "s3://dumps/ab"}),
    "dumps beside the other's artifacts": ({"backup.target": "s3://shared-dumps"}, BUCKET),
    "dumps in a bucket of the same name elsewhere": (
        {"backup.target": "s3://shared/a", "backup.endpoint": "https://s3.example.com"},
        BUCKET,
    ),
    "dumps at two addresses": (
        {"backup.target": "s3://dumps", "backup.endpoint": "https://s3.example.com"},
        {"backup.target": "s3://dumps", "backup.endpoint": "https://s3.example.org"},
    ),
    "one bucket of the same Service in two clusters": (BUCKET, {**BUCKET, **ELSEWHERE}),
    "one bucket at two endpoints": (BUCKET, {**BUCKET, "artifacts.endpoint": "https://s3.example.com"}),
    # China is a partition of its own, with bucket names of its own.
    "one bucket at AWS and in China": (
        {**BUCKET, "artifacts.kind": "s3", "artifacts.endpoint": None},
        {**BUCKET, "artifacts.kind": "s3", "artifacts.endpoint": None, "artifacts.region": "cn-north-1"},
    ),
    # bootstrap creates no users of another S3.
    "one client of two realms": (CLIENT, {**CLIENT, "authentication.realm": "other"}),
    "one client of two Keycloaks": (CLIENT, {**CLIENT, KEYCLOAK: "b.example.com"}),
    "one client by a forwarded port": (
        {**CLIENT, "bootstrap.keycloak_url": "http://localhost:8080"},
        {**CLIENT, "bootstrap.keycloak_url": "http://localhost:8080", KEYCLOAK: "b.example.com"},
    ),
    "one client of two ports of a machine": (
        {**CLIENT, KEYCLOAK: "keycloak.localhost", "authentication.keycloak_port": 8443},
        {**CLIENT, KEYCLOAK: "keycloak.localhost", "authentication.keycloak_port": 8444},
    ),
    "no client that looks users up": (
        {"authentication.directory_client": None},
        {"authentication.directory_client": None},
    ),
    # Groups hold people, and two environments may have the same ones on purpose.
    "one pair of groups": ({"authentication.user_group": "all"}, {"authentication.user_group": "all"}),
    "a client scope named like a client": (CLIENT, {"authentication.groups_scope": "shared"}),
    "one store path of two mounts": (PREFIX, {**PREFIX, "secrets.vault_mount": "other"}),
    "one store path of two stores": (
        {**PREFIX, VAULT: "https://a.example.com"},
        {**PREFIX, VAULT: "https://b.example.com"},
    ),
    "store paths with one beginning": ({"secrets.vault_prefix": "mlflow"}, {"secrets.vault_prefix": "mlflow-b"}),
    "store paths of one team": ({"secrets.vault_prefix": "team/a"}, {"secrets.vault_prefix": "team/b"}),
}
