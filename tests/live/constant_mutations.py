"""Single changes of what the constructs say, each of which breaks migration, login, session, artifacts or routing.

Each names the check that notices it first, of those in ``mutant.py``.
"""

from mutation import Mutation

ENVIRONMENT = "server_environment.py"
RELEASE = "releases/mlflow_3_6_0.py"
JOB = "the_migration_job_succeeds"
READY = "a_pod_becomes_ready"
LINK = "login_link_leads_to_keycloak_with_redirect"
ADMIN = "only_members_of_admin_group_are_administrators"
ARTIFACT = "access_key_stores_and_reads_an_artifact"
CLIENT = "training_is_logged_and_loaded_with_key"

MUTATIONS = (
    Mutation(
        name="Secret of the migration",
        module="migration.py",
        was='volume_mounts=mounts.only("db")',
        becomes="volume_mounts=mounts.only()",
        noticed_by=JOB,
    ),
    Mutation(
        name="service file",
        module=ENVIRONMENT,
        was="/db/pg_service.conf",
        becomes="/db/service.conf",
        noticed_by=JOB,
    ),
    Mutation(
        name="section of the service file",
        module="contract.py",
        was='"mlflow_auth": settings.database.auth_name',
        becomes='"mlflow_permissions": settings.database.auth_name',
        noticed_by=READY,
    ),
    Mutation(
        name="authority of the database",
        module="contract.py",
        was="/db/ca.crt",
        becomes="/db/root.crt",
        noticed_by=READY,
    ),
    Mutation(
        name="mount point of the Secrets",
        module="contract.py",
        was='SECRETS_ROOT = "/var/run/secrets/mlflow"',
        becomes='SECRETS_ROOT = "/var/run/secrets/tracking"',
        noticed_by=READY,
    ),
    Mutation(
        name="writable folder",
        module="pods.py",
        was='TEMPORARY = "/tmp"',
        becomes='TEMPORARY = "/scratch"',
        noticed_by=READY,
    ),
    Mutation(
        name="app name",
        module=RELEASE,
        was='app_name="oidc-auth-fastapi"',
        becomes='app_name="basic-auth"',
        noticed_by=READY,
    ),
    Mutation(
        name="key of the session cookie",
        module=RELEASE,
        was='variable="SECRET_KEY"',
        becomes='variable="SESSION_KEY"',
        noticed_by=READY,
    ),
    Mutation(
        name="probe path",
        module="tracking_server.py",
        was='path="/health"',
        becomes='path="/healthz"',
        noticed_by=READY,
    ),
    Mutation(
        name="port behind the Ingress",
        module="ingress.py",
        was='ServiceBackendPort(name="http")',
        becomes='ServiceBackendPort(name="metrics")',
        noticed_by=LINK,
    ),
    Mutation(
        name="allowed hosts",
        module="settings/environment.py",
        # MLflow compares the Host header whole, with its port.
        was="return (*self.ingress.authorities, *names,",
        becomes="return (*self.ingress.hosts, *names,",
        noticed_by=LINK,
    ),
    Mutation(
        name="redirect path",
        module="settings/ingress.py",
        was='LOGIN_RETURN = "/callback"',
        becomes='LOGIN_RETURN = "/oidc/callback"',
        noticed_by=LINK,
    ),
    Mutation(
        name="scope",
        module=ENVIRONMENT,
        was='f"openid profile email {login.groups_scope}"',
        becomes='"openid profile email"',
        noticed_by=LINK,
    ),
    Mutation(
        name="separator of the scope",
        module=ENVIRONMENT,
        was="openid profile email {",
        # Keycloak answers invalid_scope to commas.
        becomes="openid,profile,email,{",
        noticed_by=LINK,
    ),
    Mutation(
        name="discovery",
        module="settings/authentication.py",
        was="/.well-known/openid-configuration",
        becomes="/.well-known/openid-connect",
        noticed_by=LINK,
    ),
    Mutation(
        name="claim of the groups",
        module=ENVIRONMENT,
        was='"OIDC_GROUPS_ATTRIBUTE": login.groups_claim',
        becomes='"OIDC_GROUPS_ATTRIBUTE": "roles"',
        noticed_by=ADMIN,
    ),
    Mutation(
        name="groups that may log in",
        module=ENVIRONMENT,
        was='f"{login.admin_group},{login.user_group}"',
        becomes="login.admin_group",
        noticed_by=ADMIN,
    ),
    Mutation(
        name="group of the administrators",
        module=ENVIRONMENT,
        was='"OIDC_ADMIN_GROUP_NAME": login.admin_group',
        becomes='"OIDC_ADMIN_GROUP_NAME": login.user_group',
        noticed_by=ADMIN,
    ),
    Mutation(
        name="session lifetime",
        module=ENVIRONMENT,
        was='"PERMANENT_SESSION_LIFETIME": str(settings.authentication.session_hours * 3600)',
        becomes='"PERMANENT_SESSION_LIFETIME": f"{settings.authentication.session_hours}h"',
        noticed_by=READY,
    ),
    Mutation(
        name="session store",
        module=ENVIRONMENT,
        was='"SESSION_TYPE": "redis"',
        becomes='"SESSION_TYPE": "memcached"',
        noticed_by=READY,
    ),
    Mutation(
        name="session directory",
        module=ENVIRONMENT,
        was='"SESSION_CACHE_DIR": "/tmp/session"',
        becomes='"SESSION_CACHE_DIR": "/var/lib/mlflow/session"',
        noticed_by=READY,
        # Only without Redis are sessions in files.
        changes={"authentication.redis": None},
    ),
    Mutation(
        name="bucket",
        module=ENVIRONMENT,
        was='"MLFLOW_ARTIFACTS_DESTINATION": artifacts.destination',
        becomes='"MLFLOW_ARTIFACTS_DESTINATION": f"{artifacts.destination}-artifacts"',
        noticed_by=ARTIFACT,
    ),
    Mutation(
        name="keys of the bucket",
        module=ENVIRONMENT,
        was="/s3/credentials",
        becomes="/s3/keys",
        noticed_by=READY,
    ),
    Mutation(
        name="proxied artifacts",
        module=ENVIRONMENT,
        was='"MLFLOW_SERVE_ARTIFACTS": "true"',
        becomes='"MLFLOW_SERVE_ARTIFACTS": "false"',
        noticed_by=ARTIFACT,
    ),
    Mutation(
        name="artifact root",
        module=ENVIRONMENT,
        was='"MLFLOW_DEFAULT_ARTIFACT_ROOT": "mlflow-artifacts:/"',
        # Clients would go to the bucket themselves, and have no keys of it.
        becomes='"MLFLOW_DEFAULT_ARTIFACT_ROOT": f"s3://{artifacts.bucket}"',
        noticed_by=CLIENT,
    ),
)
