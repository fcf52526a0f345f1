"""Environment files that are refused, each with what the one error line says."""

HOSTS = """\
ingress:
  host: mlflow.example.com
{ingress}authentication:
  keycloak_host: auth.example.com
{login}{more}"""


def document(more: str = "", *, ingress: str = "", login: str = "") -> str:
    indented = ["".join(f"  {line}\n" for line in text.splitlines()) for text in (ingress, login)]
    return HOSTS.format(ingress=indented[0], login=indented[1], more=more)


NO_HOST = "authentication:\n  keycloak_host: auth.example.com\n"
WITH_HOST = NO_HOST + "ingress:\n  host: {}\n"
BAD = {
    # what the file is
    "empty file": ("", "is empty"),
    "comment only": ("# nothing\n", "is empty"),
    "list": ("- a\n", "must be a mapping"),
    "scalar": ("hello\n", "must be a mapping"),
    "tab": ("ingress:\n\thost: a\n", "line 2"),
    "open bracket": ("image: {tag: [1\n", "not valid YAML"),
    # PyYAML takes the last of two equal keys and says nothing.
    "duplicate key": (document() + "image:\n  tag: a\n  tag: b\n", "duplicate"),
    "two documents": (document() + "---\na: 1\n", "not valid YAML"),
    "unknown alias": ("image: *nowhere\n", "not valid YAML"),
    "python object": ("image: !!python/object:os.system x\n", "not valid YAML"),
    # what is missing or unknown
    "no ingress": (NO_HOST, "ingress: is required"),
    "no Keycloak": ("ingress:\n  host: mlflow.example.com\n", "authentication: is required"),
    "no host": (NO_HOST + "ingress: {}\n", "ingress.host: is required"),
    "unknown section": (document("servers: {}\n"), "servers: is not a setting; did you mean server?"),
    "unknown key": (
        document("server:\n  replica: 2\n"),
        "server.replica: is not a setting; did you mean",
    ),
    "unknown key like no other": (
        document("weather: 2\n"),
        "is not a setting; remove it or check its",
    ),
    # As the values of Helm charts are spelt.
    "unknown key in camel case": (document("server:\n  extraEnvironment: {}\n"), "mean server.extra_environment?"),
    "unknown key with a dash": (
        document("server:\n  user-id: 20000\n"),
        "did you mean server.user_id?",
    ),
    "unknown key of another section": (
        document("replicas: 2\n"),
        "server.replicas or ingress.cloudflared.replicas?",
    ),
    "unknown key without a section": (document("server_log_level: INFO\n"), "did you mean server.log_level?"),
    "unknown key far below": (
        document(login="redis:\n  host: redis.example.com\n  pasword: false\n"),
        "authentication.redis.pasword: is not a setting; did you mean authentication.redis.password?",
    ),
    "unknown key in a list": (
        document("server:\n  tolerations: [{key: a, efect: NoExecute}]\n"),
        "server.tolerations[0].efect: is not a setting; did you mean server.tolerations.effect?",
    ),
    "unknown release": (document("release: 3.7.0\n"), "release: must be 3.6.0 or 3.17.2"),
    # hosts
    "host with scheme": (WITH_HOST.format("http://mlflow.example.com"), "ingress.host: must be a bare host name"),
    "host with https": (WITH_HOST.format("https://mlflow.example.com"), "ingress.host: must be a bare host name"),
    "host with port": (WITH_HOST.format("mlflow.example.com:8443"), "ingress.host: must be a bare host name"),
    "host with wildcard": (WITH_HOST.format("'*.example.com'"), "ingress.host: must name one host"),
    # Kubernetes refuses capitals in the host of an Ingress.
    "host with capitals": (WITH_HOST.format("MLflow.example.com"), "ingress.host: must be a lowercase DNS name"),
    "host with underscore": (WITH_HOST.format("ml_flow.example.com"), "ingress.host: must be a lowercase DNS name"),
    "host is an address": (WITH_HOST.format("192.0.2.1"), "ingress.host: must be a DNS name"),
    "host is empty": (WITH_HOST.format("''"), "ingress.host: must be a lowercase DNS name"),
    "host is nothing": (WITH_HOST.format("null"), "ingress.host: has no value"),
    "host is a number": (WITH_HOST.format("42"), "ingress.host: must be text"),
    # A label of a DNS name has 63 characters at most (RFC 1035, section 2.3.4).
    "host is too long": (WITH_HOST.format("a" * 64 + ".example.com"), "ingress.host: must be a lowercase DNS name"),
    "Keycloak with http": (
        "ingress:\n  host: mlflow.example.com\nauthentication:\n  keycloak_host: http://auth\n",
        "authentication.keycloak_host: must be a bare host name",
    ),
    "bare star in hosts": (document("server:\n  allowed_hosts: ['*']\n"), "server.allowed_hosts[0]: must name hosts"),
    "bare star in origins": (document("server:\n  cors_origins: ['*']\n"), "server.cors_origins[0]: must name hosts"),
    # types
    "replicas in quotes": (document("server:\n  replicas: '2'\n"), "server.replicas: must be a whole number"),
    "replicas as a word": (document("server:\n  replicas: two\n"), "server.replicas: must be a whole number"),
    # A boolean in YAML 1.1 and text in YAML 1.2: readers differ.
    "boolean as yes": (document("network:\n  policies: yes\n"), "network.policies: must be true or false"),
    # Read as a number, a tag 3.10 would be 3.1.
    "tag as a number": (document("image:\n  tag: 3.6\n"), "image.tag: must be text"),
    "section as text": (document("server: big\n"), "server: must be a mapping"),
    "section as a list": (document("server: [1]\n"), "server: must be a mapping"),
    "list as text": (document("delivery:\n  tools: flux\n"), "delivery.tools: must be a list"),
    "label as a number": (document("server:\n  node_selector: {a: 1}\n"), "server.node_selector.a: must be text"),
    # bounds
    "no replicas": (document("server:\n  replicas: 0\n"), "server.replicas: must be greater"),
    "no workers": (document("server:\n  workers: 0\n"), "server.workers: must be greater"),
    "port 0": (document("database:\n  port: 0\n"), "database.port: must be greater"),
    "port 65536": (document("database:\n  port: 65536\n"), "database.port: must be less"),
    "public port 70000": (document(ingress="public_port: 70000"), "ingress.public_port: must be less"),
    # Lower numbers may belong to users of the node (checkov, CKV_K8S_40).
    "user below 10000": (document("server:\n  user_id: 0\n"), "server.user_id: must be greater"),
    "quantity": (document("server:\n  tmp_size: lots\n"), "server.tmp_size: must look like"),
    "duration": (document("delivery:\n  interval: soon\n"), "delivery.interval: must look like"),
    # Its host bits are set, so it may mean an address or a network.
    "network": (document("network:\n  keycloak_cidrs: [10.0.0.1/8]\n"), "network.keycloak_cidrs[0]: must be a network"),
    "cron with four fields": (
        document("maintenance:\n  garbage_collection_schedule: '* * * *'\n"),
        "maintenance.garbage_collection_schedule: must have the five fields",
    ),
    "cron with minute 60": (
        document("maintenance:\n  garbage_collection_schedule: 60 3 * * *\n"),
        "maintenance.garbage_collection_schedule: has the field '60'",
    ),
    # cron(8) takes 7 for Sunday; Kubernetes' parser does not.
    "cron with a seventh weekday": (
        document("maintenance:\n  garbage_collection_schedule: 0 0 * * 7\n"),
        "maintenance.garbage_collection_schedule: has the field '7', which must lie in 0-6",
    ),
    "cron with a range to weekday seven": (
        document("maintenance:\n  end_access_schedule: 5 * * * 1-7\n"),
        "maintenance.end_access_schedule: has the field '1-7'",
    ),
    "cron with a step of nothing": (
        document("maintenance:\n  garbage_collection_schedule: '*/00 3 * * *'\n"),
        "maintenance.garbage_collection_schedule: has the field '*/00'",
    ),
    # Kubernetes takes such a schedule, and the Job never runs.
    "cron with a day that no February has": (
        document("maintenance:\n  garbage_collection_schedule: 0 0 30 2 *\n"),
        "maintenance.garbage_collection_schedule: names a day that none of its months has",
    ),
    "cron with a day that no short month has": (
        document("maintenance:\n  garbage_collection_schedule: 0 0 31 2,4/7 *\n"),
        "maintenance.garbage_collection_schedule: names a day that none of its months has",
    ),
    "cron with words": (
        document("maintenance:\n  garbage_collection_schedule: every day at five o\n"),
        "maintenance.garbage_collection_schedule: has the field 'every'",
    ),
    "namespace with capitals": (document("namespace: MLflow\n"), "namespace: must look like"),
    "namespace too long": (document(f"namespace: {'n' * 64}\n"), "namespace: must look like"),
    "registry with scheme": (document("image:\n  registry: https://a.example\n"), "image.registry: must look like"),
    "short digest": (document("image:\n  digest: sha256:abc\n"), "image.digest: must look like"),
    "pull policy": (document("image:\n  pull_policy: Sometimes\n"), "image.pull_policy: must be Always"),
    "bucket with capitals": (document("artifacts:\n  bucket: MLflow\n"), "artifacts.bucket: must look like"),
    # Artifacts would cross the internet in the clear.
    "plain http to the world": (
        document("artifacts:\n  endpoint: http://s3.example.com\n"),
        "artifacts.endpoint: must start with https://",
    ),
    "endpoint with a path": (
        document("artifacts:\n  endpoint: https://s3.example.com/b\n"),
        "artifacts.endpoint: must have no path",
    ),
    "endpoint with a bad port": (
        document("artifacts:\n  endpoint: https://s3.example.com:port\n"),
        "artifacts.endpoint: is not a URL",
    ),
    "plain git": (document("delivery:\n  repository: git://git.example.com/a\n"), "delivery.repository: must start"),
    "group with a slash": (document(login="user_group: /users"), "authentication.user_group: must look like"),
    # The plugin's OIDC_GROUP_NAME is a list with commas.
    "group with a comma": (document(login="user_group: a,b"), "authentication.user_group: must look like"),
    "permission": (document(login="default_permission: ALL"), "authentication.default_permission: must be"),
    "control character": (document('monitoring:\n  labels: {"a\\u0007": b}\n'), "monitoring.labels"),
    # conflicts
    "one database for both": (document("database:\n  auth_name: mlflow\n"), "database.auth_name: is mlflow too"),
    # CloudNativePG reserves this name of a Database.
    "reserved database": (document("database:\n  name: postgres\n"), "database.name: is postgres"),
    # PostgreSQL reserves all names that begin with pg_.
    "reserved role": (document("database:\n  role: pg_monitor\n"), "database.role: is pg_monitor"),
    "old External Secrets": (
        document("secrets:\n  external_secrets_version: '0.15.1'\n"),
        "secrets.external_secrets_version: is 0.15.1, but external-secrets.io/v1 needs 0.16",
    ),
    "old Traefik": (
        document("").replace("mlflow.example.com\n", "mlflow.example.com\n  traefik_version: '2.10'\n", 1),
        "ingress.traefik_version: is 2.10, but our Middleware needs 2.11",
    ),
    "version with a letter": (
        document("delivery:\n  flux_version: v2.5\n"),
        "delivery.flux_version: must look like 2.9 or 2.9.1, without a v",
    ),
    # DatabaseRole came with CloudNativePG 1.30, Database with 1.25.
    "old operator": (document("database:\n  cnpg_version: '1.29'\n"), "database.role_management: is database-role"),
    "older operator": (
        document("database:\n  cnpg_version: '1.24'\n  role_management: bootstrap\n"),
        "database.database_management: is cnpg",
    ),
    "too many connections": (document("server:\n  workers: 8\n"), "database.max_connections: is 100"),
    # Release 3.6.0 keeps sessions in files of the pod.
    "replicas without a store": (document("server:\n  replicas: 2\n"), "server.replicas: is 2"),
    "namespace of Kubernetes": (document("namespace: kube-system\n"), "namespace: is kube-system, which Kubernetes"),
    "instance like a namespace of Kubernetes": (
        document("instance: default\n"),
        "namespace: is default, which Kubernetes",
    ),
    "another plugin": (document("plugin_version: 6.0.0\n"), "plugin_version: is 6.0.0"),
    "tag of another release": (document("image:\n  tag: 3.17.2-oidc\n"), "image.tag: is 3.17.2-oidc"),
    "owned flag": (
        document("server:\n  extra_arguments: [--workers=4]\n"),
        "server.extra_arguments: is no longer a",
    ),
    "owned variable": (
        document("server:\n  extra_environment: {OIDC_SCOPE: openid}\n"),
        "server.extra_environment.OIDC_SCOPE: follows from",
    ),
    "one group for both": (document(login="user_group: mlflow-admins"), "authentication.user_group: is mlflow-admins"),
    "MinIO without address": (document("artifacts:\n  endpoint: null\n"), "artifacts.endpoint: is required"),
    # The role's Secret lies in the database's namespace, which a SecretStore of ours does not serve.
    "store of one namespace": (document("secrets:\n  store_kind: SecretStore\n"), "secrets.store_kind: is SecretStore"),
    "flag of another name": (
        document("server:\n  extra_arguments: []\n"),
        "set a variable in server.extra_environment",
    ),
    "jobs without a runner": (
        document("release: 3.17.2\nserver:\n  job_execution: true\n"),
        "server.job_execution: is true, but no pod runs MLflow's jobs yet",
    ),
    "setting that the release has no use for": (
        document("server:\n  job_execution: true\n"),
        "server.job_execution: has no effect on release 3.6.0",
    ),
    "gateway on a release without one": (
        document("server:\n  ai_gateway: true\n"),
        "server.ai_gateway: has no effect on release 3.6.0",
    ),
    "removed setting": (
        document(ingress="block_unchecked_paths: true"),
        "ingress.block_unchecked_paths: is no longer a setting",
    ),
    # The server would read files of its own pod there.
    "location in the pod": (
        document("artifacts:\n  allowed_locations: ['file:///etc']\n"),
        "artifacts.allowed_locations[0]",
    ),
    "location with a query": (
        document("artifacts:\n  allowed_locations: ['s3://a?x']\n"),
        "artifacts.allowed_locations[0]",
    ),
    # Prometheus refuses a timeout above the interval.
    "slow scrape": (document("monitoring:\n  scrape_timeout: 2m\n"), "monitoring.scrape_timeout: is 2m"),
    # secrets
    "password": (document("database:\n  password: hunter2\n"), "database.password: looks like a secret"),
    "client secret": (document(login="client_secret: abc"), "authentication.client_secret: looks like a secret"),
    "login in a URL": (
        document("delivery:\n  repository: https://me:pw@git.example.com/a\n"),
        "delivery.repository: looks like a secret",
    ),
    # The example key of AWS's documentation, in the form of real ones.
    "AWS key": (
        document("server:\n  extra_environment: {X: AKIAIOSFODNN7EXAMPLE}\n"),
        "server.extra_environment.X: looks like a secret",
    ),
    "private key": (
        document("server:\n  annotations: {a: '-----BEGIN RSA PRIVATE KEY-----'}\n"),
        "server.annotations.a: looks like a secret",
    ),
}
