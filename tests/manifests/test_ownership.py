"""Two environments of a folder never own one thing, however its place is written."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cdk8s_mlflow.settings import InvalidSettingsError, Settings, SettingsError
from cdk8s_mlflow.settings.instance import FollowsInstance
from cdk8s_mlflow.settings.ownership import STORE_PATH, Owned, owned_things, refuse_shared
from cdk8s_mlflow.settings.renaming import refuse_renamed
from cdk8s_mlflow.settings.section import Section
from cdk8s_mlflow.synth.cli import app
from mlflow_bootstrap.environment import settings_of

ONE, OTHER = Path("environments/one.yaml"), Path("environments/other.yaml")
Changes = Mapping[str, Any]


def settings(instance: str, changes: Changes) -> Settings:
    """An environment that shares nothing with another instance, with ``changes`` by dotted keys on top."""
    document: dict[str, Any] = {
        "instance": instance,
        "ingress": {"host": f"{instance}.example.com"},
        "authentication": {"keycloak_host": "auth.example.com"},
    }
    for key, value in changes.items():
        *above, name = key.split(".")
        section = document
        for part in above:
            section = section.setdefault(part, {})
        section[name] = value
    return Settings.model_validate(document)


def refusals(one: Changes, other: Changes, *, files: tuple[Path, Path] = (ONE, OTHER)) -> list[str]:
    """What is said about two environments; empty if they may stand side by side."""
    try:
        refuse_shared({files[0]: settings("ml-one", one), files[1]: settings("ml-other", other)})
    except InvalidSettingsError as error:
        return [str(problem) for problem in error.problems]
    return []


KEYCLOAK = "authentication.keycloak_host"
CLIENT = {"authentication.client_id": "shared"}
BUCKET = {"artifacts.bucket": "shared"}
DATABASE = {"database.name": "shared"}
NO_POLICIES = {"network.policies": False}
"""The pods of a Service of another name are unknown to a policy."""
REDIS = {"authentication.redis": {"host": "redis.redis.svc"}}
PREFIX = {"secrets.vault_prefix": "shared"}
VAULT = "secrets.vault_address"
ELSEWHERE = {"cluster": "elsewhere"}

SHARED: dict[str, tuple[Changes, Changes, str, str]] = {
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
    # one cluster
    "namespace": ({"namespace": "shared"}, {"namespace": "shared"}, "namespace", "namespace shared"),
    "namespace like an instance": ({}, {"namespace": "ml-one"}, "namespace", "namespace ml-one"),
    "namespace of other owners": (
        {"namespace": "shared", "manage_namespace": False},
        {"namespace": "shared", "manage_namespace": False},
        "namespace",
        "namespace shared",
    ),
    "objects of databases": (
        {"database.object_name": "shared"},
        {"database.object_name": "shared"},
        "database.object_name",
        "Database postgres/shared",
    ),
    "object of the other database": (
        {"database.object_name": "shared"},
        {"database.object_name": "shared-auth"},
        "database.object_name",
        "Database postgres/shared-auth",
    ),
    "objects of two Clusters": (
        {"database.object_name": "shared", "database.cluster": "a"},
        {"database.object_name": "shared", "database.cluster": "b"},
        "database.object_name",
        "DatabaseRole postgres/shared",
    ),
    "Secret of the role": (
        {"database.object_name": "shared", "database.role_management": "managed-roles"},
        {"database.object_name": "shared", "database.database_management": "bootstrap"},
        "database.object_name",
        "Secret postgres/shared-db-role",
    ),
    "delivery": ({"delivery.name": "shared"}, {"delivery.name": "shared"}, "delivery.name", "flux-system/shared"),
    "delivery like an instance": ({}, {"delivery.name": "ml-one"}, "delivery.name", "Application argocd/ml-one"),
    "Application in an unknown cluster": (
        {"delivery.name": "shared", "delivery.argocd_server": "https://a.example.com"},
        {"delivery.name": "shared", "delivery.argocd_server": "https://b.example.com", "cluster": "elsewhere"},
        "delivery.name",
        "Application argocd/shared",
    ),
    # one PostgreSQL
    "database": (DATABASE, DATABASE, "database.name", "database shared"),
    "database of the other store": (
        DATABASE,
        {"database.auth_name": "shared"},
        "database.auth_name",
        "database shared",
    ),
    "role": ({"database.role": "shared"}, {"database.role": "shared"}, "database.role", "role shared"),
    "database by its Service": (
        DATABASE,
        {**DATABASE, "database.host": "postgres-cluster-rw.postgres.svc"},
        "database.name",
        "database shared",
    ),
    "database by its short name": (
        {**DATABASE, **NO_POLICIES, "database.host": "db.data"},
        {**DATABASE, **NO_POLICIES, "database.host": "db.data.svc.cluster.local"},
        "database.name",
        "database shared",
    ),
    "database by another domain": (
        {
            **DATABASE,
            **NO_POLICIES,
            "database.host": "db.data.svc.corp.example.com",
            "network.cluster_domain": "corp.example.com",
        },
        {**DATABASE, **NO_POLICIES, "database.host": "db.data.svc"},
        "database.name",
        "database shared",
    ),
    "database by a name in the namespace": (
        {**DATABASE, **NO_POLICIES, "namespace": "data", "database.host": "db"},
        {**DATABASE, **NO_POLICIES, "database.host": "db.data.svc"},
        "database.name",
        "database shared",
    ),
    "database by the read-only Service": (
        {**DATABASE, "database.host": "postgres-cluster-r.postgres.svc", "database.role_management": "bootstrap"},
        DATABASE,
        "database.name",
        "database shared",
    ),
    "database of a Cluster by a public name": (
        DATABASE,
        {**DATABASE, "database.host": "db.example.com"},
        "database.name",
        "database shared",
    ),
    "database of two clusters": (
        {**DATABASE, "database.host": "db.example.com"},
        {**DATABASE, "database.host": "db.example.com", **ELSEWHERE},
        "database.name",
        "database shared",
    ),
    "database by the administrator's address": (
        {**DATABASE, "bootstrap.postgres_host": "db.example.com"},
        {**DATABASE, "bootstrap.postgres_host": "db.example.com", **ELSEWHERE},
        "database.name",
        "database shared",
    ),
    # one S3
    "bucket": (BUCKET, BUCKET, "artifacts.bucket", "bucket shared"),
    "bucket like an instance": ({}, {"artifacts.bucket": "ml-one"}, "artifacts.bucket", "bucket ml-one"),
    "user": ({"artifacts.user": "shared"}, {"artifacts.user": "shared"}, "artifacts.user", "user shared"),
    "policy": ({"artifacts.policy": "shared"}, {"artifacts.policy": "shared"}, "artifacts.policy", "policy shared"),
    "bucket by a full name": (
        BUCKET,
        {**BUCKET, "artifacts.endpoint": "http://minio.minio.svc.cluster.local:9000"},
        "artifacts.bucket",
        "bucket shared",
    ),
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
    "bucket of AWS in two regions": (
        {**BUCKET, "artifacts.kind": "s3", "artifacts.endpoint": None, "artifacts.region": "eu-west-1"},
        {**BUCKET, "artifacts.kind": "s3", "artifacts.endpoint": "https://s3.us-east-1.amazonaws.com", **ELSEWHERE},
        "artifacts.bucket",
        "bucket shared",
    ),
    "bucket of a loopback address": (
        {**BUCKET, "artifacts.endpoint": "https://localhost:9000"},
        {**BUCKET, "artifacts.endpoint": "https://127.0.0.1:9000"},
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
    # the rest
    "host": (
        {"ingress.host": "a.example.com"},
        {"ingress.host": "a.example.com"},
        "ingress.host",
        "host a.example.com",
    ),
    "host of two clusters": (
        {"ingress.host": "a.example.com"},
        {"ingress.host": "a.example.com", **ELSEWHERE},
        "ingress.host",
        "host a.example.com",
    ),
    "host by two ports of one cluster": (
        {"ingress.host": "a.example.com"},
        {"ingress.host": "a.example.com", "ingress.public_port": 8443},
        "ingress.host",
        "host a.example.com",
    ),
    "Redis database": (REDIS, REDIS, "authentication.redis.database", "Redis database 0"),
    "Redis database by a short name": (
        REDIS,
        {"authentication.redis": {"host": "redis.redis"}},
        "authentication.redis.database",
        "Redis database 0",
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
    "two instances of one cluster": ({}, {}),
    "two instances of two clusters": ({}, ELSEWHERE),
    "one namespace in two clusters": ({"namespace": "shared"}, {"namespace": "shared", **ELSEWHERE}),
    "one set of objects in two clusters": (
        {"database.object_name": "shared", "delivery.name": "shared"},
        {"database.object_name": "shared", "delivery.name": "shared", **ELSEWHERE},
    ),
    "one set of objects in two namespaces": (
        {"database.object_name": "shared"},
        {"database.object_name": "shared", "database.cluster_namespace": "data"},
    ),
    "one role's name without a Secret": (
        {"database.object_name": "shared", "database.database_management": "bootstrap"},
        {
            "database.object_name": "shared",
            "database.role_management": "bootstrap",
        },
    ),
    "delivery by two tools": (
        {"delivery.name": "shared", "delivery.tools": ("flux",)},
        {"delivery.name": "shared", "delivery.tools": ("argocd",)},
    ),
    "one database of two Clusters": (
        {**DATABASE, "database.cluster": "a"},
        {**DATABASE, "database.cluster": "b"},
    ),
    "one database of the same Service in two clusters": (DATABASE, {**DATABASE, **ELSEWHERE}),
    "one database by a forwarded port": (
        {**DATABASE, "bootstrap.postgres_host": "localhost", "bootstrap.postgres_port": 5432},
        {**DATABASE, "bootstrap.postgres_host": "127.0.0.1", "bootstrap.postgres_port": 5432, **ELSEWHERE},
    ),
    "one database at two ports": (
        {**DATABASE, "database.host": "a.example.com", "database.cluster": "a"},
        {**DATABASE, "database.host": "a.example.com", "database.port": 5433, "database.cluster": "b"},
    ),
    "a role named like a database": ({"database.role": "shared"}, DATABASE),
    "one bucket of the same Service in two clusters": (BUCKET, {**BUCKET, **ELSEWHERE}),
    "one bucket at two endpoints": (BUCKET, {**BUCKET, "artifacts.endpoint": "https://s3.example.com"}),
    "one bucket at AWS and in China": (
        {**BUCKET, "artifacts.kind": "s3", "artifacts.endpoint": None},
        {**BUCKET, "artifacts.kind": "s3", "artifacts.endpoint": None, "artifacts.region": "cn-north-1"},
    ),
    "one user of S3 that is not ours": (
        {"artifacts.kind": "s3", "artifacts.user": "shared"},
        {"artifacts.kind": "s3", "artifacts.user": "shared"},
    ),
    "one client of two realms": (CLIENT, {**CLIENT, "authentication.realm": "other"}),
    "one client of two Keycloaks": (CLIENT, {**CLIENT, KEYCLOAK: "b.example.com"}),
    "one client by a forwarded port": (
        {**CLIENT, "bootstrap.keycloak_url": "http://localhost:8080"},
        {**CLIENT, "bootstrap.keycloak_url": "http://localhost:8080", KEYCLOAK: "b.example.com"},
    ),
    "one client of two ports of a machine": (
        {**CLIENT, KEYCLOAK: "localhost", "authentication.keycloak_port": 8443},
        {**CLIENT, KEYCLOAK: "localhost", "authentication.keycloak_port": 8444},
    ),
    "no client that looks users up": (
        {"authentication.directory_client": None},
        {"authentication.directory_client": None},
    ),
    "one pair of groups": ({"authentication.user_group": "all"}, {"authentication.user_group": "all"}),
    "a client scope named like a client": (CLIENT, {"authentication.groups_scope": "shared"}),
    "one store path of two mounts": (PREFIX, {**PREFIX, "secrets.vault_mount": "other"}),
    "one store path of two stores": (
        {**PREFIX, VAULT: "https://a.example.com"},
        {**PREFIX, VAULT: "https://b.example.com"},
    ),
    "store paths with one beginning": ({"secrets.vault_prefix": "mlflow"}, {"secrets.vault_prefix": "mlflow-b"}),
    "store paths of one team": ({"secrets.vault_prefix": "team/a"}, {"secrets.vault_prefix": "team/b"}),
    "one store path without a store": (
        {**PREFIX, "secrets.mode": "kubernetes"},
        {**PREFIX, "secrets.mode": "kubernetes"},
    ),
    "one host at two ports of two clusters": (
        {"ingress.host": "a.example.com"},
        {"ingress.host": "a.example.com", "ingress.public_port": 8443, **ELSEWHERE},
    ),
    "localhost of two machines": ({"ingress.host": "localhost"}, {"ingress.host": "localhost", **ELSEWHERE}),
    "two databases of Redis": (REDIS, {"authentication.redis": {"host": "redis.redis.svc", "database": 1}}),
    "one name for everything in a space of its own": (
        {"namespace": "shared", **CLIENT, **BUCKET, **PREFIX, **DATABASE},
        {},
    ),
}


@pytest.mark.parametrize("case", SHARED)
def test_refuse_shared_names_thing_and_setting(case: str) -> None:
    one, other, key, thing = SHARED[case]

    lines = refusals(one, other)

    assert lines, "nothing was refused"
    (line,) = [line for line in lines if line.startswith(f"{OTHER}: {key}: ") and thing in line]
    assert str(ONE) in line
    assert f"set another {key}" in line


@pytest.mark.parametrize("case", SHARED)
def test_refuse_shared_reads_pairs_both_ways(case: str) -> None:
    one, other, _, _ = SHARED[case]

    assert refusals(one, other, files=(OTHER, ONE))


@pytest.mark.parametrize("case", APART)
def test_refuse_shared_allows_what_is_apart(case: str) -> None:
    one, other = APART[case]

    assert refusals(one, other) == refusals(one, other, files=(OTHER, ONE)) == []


def test_owned_things_hold_what_follows_from_instance() -> None:
    found = settings("ml-one", {})
    sections: dict[str, Section] = {
        "": found,
        **{f"{name}.": part for name, part in found if isinstance(part, Section)},
    }
    following = {
        f"{above}{name}"
        for above, section in sections.items()
        for name, field in type(section).model_fields.items()
        if isinstance(field.json_schema_extra, FollowsInstance)
    }

    owned = {thing.key for thing in owned_things(found, "one") if thing.follows}

    assert following - owned == {"secrets.vault_role"}, "bootstrap.py only logs in with this role"


def test_refuse_shared_tells_equal_instances_once() -> None:
    hosts = {ONE: {"ingress.host": "a.example.com"}, OTHER: {"ingress.host": "b.example.com"}}

    with pytest.raises(InvalidSettingsError) as raised:
        refuse_shared({file: settings("mlflow", changes) for file, changes in hosts.items()})

    (problem,) = raised.value.problems
    assert (problem.source, problem.key) == (str(OTHER), "instance")
    for part in (str(ONE), "mlflow-other", "namespace mlflow", "bucket mlflow", "client mlflow", "secret/mlflow"):
        assert part in problem.message


def test_refuse_shared_offers_cluster_where_it_helps() -> None:
    inside, outside = refusals({"namespace": "a"}, {"namespace": "a"}), refusals(CLIENT, CLIENT)

    assert [line.endswith(", or cluster if they are in two clusters") for line in (*inside, *outside)] == [True, False]


def test_refuse_shared_compares_only_things_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {Path(f"environments/site-{n}.yaml"): settings(f"site-{n}", {}) for n in range(100)}
    compare, compared = Owned.is_same, []
    monkeypatch.setattr(Owned, "is_same", lambda one, other: compared.append(one.kind) or compare(one, other))

    refuse_shared(many)

    # Paths of a store may overlap without one name, so each two of them are compared, and nothing else is.
    assert set(compared) <= {STORE_PATH}
    assert len(compared) <= 100 * 99 / 2 * 2


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two environments of one instance and a third of its own."""
    monkeypatch.chdir(tmp_path)
    files = {"production": ("mlflow", "a"), "staging": ("mlflow", "b"), "other": ("mlflow-other", "c")}
    Path("environments").mkdir()
    for name, (instance, host) in files.items():
        hosts = f"ingress: {{host: {host}.example.com}}\nauthentication: {{keycloak_host: k.example.com}}\n"
        text = f"instance: {instance}\n{hosts}"
        Path("environments", f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("arguments", [["synth"], ["synth", "--check"]], ids=" ".join)
def test_synth_refuses_what_two_own(workplace: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith(
        "error: environments/staging.yaml: instance: is that of environments/production.yaml"
    )
    assert not (workplace / "dist").exists()


def rename(environment: str, instance: str) -> None:
    file = Path("environments", f"{environment}.yaml")
    _, rest = file.read_text().split("\n", 1)
    file.write_text(f"instance: {instance}\n{rest}")


@pytest.fixture
def rendered(workplace: Path) -> Path:
    """dist/ of the two environments that share nothing."""
    Path("environments", "staging.yaml").unlink()
    assert CliRunner().invoke(app, ["synth"]).exit_code == 0
    return workplace / "dist"


LEFT = (
    "namespace mlflow in",
    "DatabaseRole postgres/mlflow in",
    "bucket mlflow at",
    "client mlflow in",
    "secret/mlflow",
)


@pytest.mark.parametrize("arguments", [["synth"], ["synth", "--check"]], ids=" ".join)
def test_synth_refuses_renamed_instance(rendered: Path, arguments: list[str]) -> None:
    before = (rendered / "production" / "application" / "Deployment.mlflow.k8s.yaml").read_bytes()
    rename("production", "mlflow-production")

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error")]
    assert line.startswith("error: environments/production.yaml: instance: is mlflow-production, but dist/production")
    assert [thing for thing in LEFT if thing not in line] == []
    assert (rendered / "production" / "application" / "Deployment.mlflow.k8s.yaml").read_bytes() == before


def test_synth_renames_once_dist_is_removed(rendered: Path) -> None:
    rename("production", "mlflow-production")
    shutil.rmtree(rendered / "production")

    result = CliRunner().invoke(app, ["synth"])

    assert result.exit_code == 0
    assert (rendered / "production" / "application" / "Namespace.mlflow-production.k8s.yaml").exists()


def test_synth_reads_dist_without_labels_as_mlflow(rendered: Path) -> None:
    account = rendered / "other" / "application" / "ServiceAccount.mlflow.k8s.yaml"
    lines = account.read_text().splitlines(keepends=True)
    account.write_text("".join(line for line in lines if "instance" not in line))

    result = CliRunner().invoke(app, ["synth"])

    assert result.exit_code == 2
    assert "dist/other was written for mlflow; the new name would leave behind" in result.stderr


def test_synth_names_older_manifests_by_hand(workplace: Path) -> None:
    names = {"database.object_name": "mlflow", "delivery.name": "ml"}
    before = settings("mlflow", {**names, "cluster": "elsewhere"})
    by_hand = {key: getattr(getattr(before, key.split(".")[0]), key.split(".")[1]) for key in FOLLOWING}
    after = settings("ml-new", {**names, **by_hand, "namespace": "mlflow", "ingress.host": before.ingress.host})
    account = workplace / "dist" / "one" / "application" / "ServiceAccount.mlflow.k8s.yaml"
    account.parent.mkdir(parents=True)
    account.write_text("metadata: {labels: {app.kubernetes.io/name: mlflow}}")

    refuse_renamed({ONE: after}, workplace / "dist")

    account.write_text("metadata: {labels: {app.kubernetes.io/instance: mlflow}}")
    with pytest.raises(InvalidSettingsError, match="all that bears the mark of mlflow"):
        refuse_renamed({ONE: after}, workplace / "dist")


FOLLOWING = (
    "database.name",
    "database.auth_name",
    "database.role",
    "artifacts.bucket",
    "artifacts.user",
    "artifacts.policy",
    "authentication.client_id",
    "authentication.groups_scope",
    "authentication.directory_client",
    "secrets.vault_prefix",
)


def test_bootstrap_refuses_renamed_instance(rendered: Path) -> None:
    rename("production", "mlflow-production")

    with pytest.raises(InvalidSettingsError, match=r"dist/production was written for mlflow"):
        settings_of("production", folder=Path("environments"), environ={}, say=print)


def test_bootstrap_refuses_what_its_environment_shares(workplace: Path) -> None:
    with pytest.raises(InvalidSettingsError, match=r"staging.yaml: instance: is that of environments/production.yaml"):
        settings_of("staging", folder=Path("environments"), environ={}, say=print)

    assert settings_of("other", folder=Path("environments"), environ={}, say=print).instance == "mlflow-other"


def test_bootstrap_names_file_of_another_ending(workplace: Path) -> None:
    Path("environments", "other.yaml").rename("environments/other.yml")

    with pytest.raises(SettingsError, match=r"other.yaml: no such file; rename other.yml to other.yaml"):
        settings_of("other", folder=Path("environments"), environ={}, say=print)


def test_bootstrap_reads_overrides_before_it_compares(workplace: Path) -> None:
    changes = {"MLFLOW_NAMESPACE": "mlflow"}

    with pytest.raises(InvalidSettingsError, match="namespace mlflow"):
        settings_of("other", folder=Path("environments"), environ=changes, say=print)
