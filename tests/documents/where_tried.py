"""Where each command line of README and docs is executed, or why it is not.

A command of a new block needs a row here: the test that runs it, or the reason why none does.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class By:
    """Executed by a test: the file, and the name of the function; without one, by a process of the whole file."""

    file: str
    function: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """Not executed; the reason. What it names in dist/ is checked by test_blocks.py."""

    reason: str


JOURNEY = By("tests/documents/test_journeys.py", "test_journey_runs_as_documented")
BOOTSTRAP = By("tests/bootstrap/test_cli.py", "test_documented_commands_run_in_order")
NEW = By("tests/package/test_new_set_up.py", "test_documented_start_from_wheel_runs")
LIVE = By("tests/node/test_command.py")
TRY = By("tests/node/test_try.py", "run")
BUILD = By("tests/image/test_publishing.py", "test_another_release_has_its_own_tag_and_base")
PUSH = By("tests/image/test_push.py", "test_push_prints_digest_and_its_settings")
FLUX = By("tests/node/test_delivery.py", "test_flux_delivers_both_parts")
ORDER = By("tests/node/test_operation.py", "test_api_server_accepts_committed_environments")
CLIENT = By("tests/live/test_client_examples.py", "test_documented_first_run_is_logged")
GRANT = By("tests/live/test_client_examples.py", "test_documented_grant_is_accepted")
MACHINE = By("tests/live/people.py", "known_machine_token")
RECOVERY = By("tests/live/test_recovery.py", "test_recovery_elsewhere_gives_everything_back")
RUNBOOKS = "tests/live/test_runbooks.py"
READ_ONLY = By(RUNBOOKS, "test_read_only_page_refuses_writes_only")
ROTATION = By(RUNBOOKS, "test_rotation_page_renews_every_secret")
AUTHORITY = By(RUNBOOKS, "test_authority_page_renews_it_without_outage")
BUCKET = By(RUNBOOKS, "test_bucket_page_moves_every_artifact")
DRAIN = By(RUNBOOKS, "test_drain_page_brings_pods_back")
UNINSTALL = By(RUNBOOKS, "test_uninstall_page_keeps_data_for_reinstall")
LEAVE = By("tests/image/test_leave.py", "test_plain_mlflow_goes_on_with_everything")
CHECK = By("tests/node/test_use.py", "test_check_finds_every_service")

DOCTOR = By("tests/bootstrap/test_doctor_systems.py", "test_doctor_prints_json_without_secrets")
LOOK = By(RUNBOOKS, "test_look_commands_show_what_happened")
SUITE = Not("is what continuous integration itself runs")
CERTIFICATES = Not("needs cert-manager")
CLUSTER = Not("needs a cluster with CloudNativePG and External Secrets, which no test here starts")
ARGO = Not("needs Argo CD")
COPY = Not("is MinIO's own client, which the registries do not have; the test copies by its API")
INCIDENT = Not("looks at a cluster in an incident, and changes nothing")

WHERE_TRIED: dict[str, By | Not] = {
    "make synth": JOURNEY,
    "make init NAME=staging": JOURNEY,
    "$EDITOR environments/staging.yaml": JOURNEY,
    "git diff dist/": JOURNEY,
    "python main.py upgrade": JOURNEY,
    "python main.py synth --check --environment production": JOURNEY,
    "make setup": JOURNEY,
    ". .venv/bin/activate": JOURNEY,
    "cdk8s-mlflow import-values values.yaml --name production": JOURNEY,
    "python main.py doctor --environment production": DOCTOR,
    "python main.py doctor --environment staging": DOCTOR,
    "python main.py doctor --environment staging --before": By(
        "tests/node/test_doctor.py", "test_doctor_finds_what_first_apply_needs"
    ),
    "kubectl -n mlflow rollout status deploy/mlflow": READ_ONLY,
    "make test": SUITE,
    "make setup-dev": SUITE,
    "make check": SUITE,
    "make docs": SUITE,
    "cdk8s-mlflow new my-mlflow": NEW,
    "cd my-mlflow && make synth test": NEW,
    "make release": NEW,
    "pip install build/release/cdk8s_mlflow-*.whl": NEW,
    ".venv/bin/python bootstrap.py plan --environment local": LIVE,
    "make live": LIVE,
    "make live RELEASE=3.17.2": LIVE,
    'make live RELEASE="3.6.0 3.17.2"': LIVE,
    "cdk8s-mlflow try --image localhost:30500/mlflow:3.6.0-oidc": TRY,
    "cdk8s-mlflow try --remove": TRY,
    "make build-image": BUILD,
    "make image-base": By("tests/image/test_base_images.py", "test_pin_writes_what_tag_names_now"),
    "python bootstrap.py plan --environment production": BOOTSTRAP,
    "python bootstrap.py apply --environment production": BOOTSTRAP,
    "python bootstrap.py verify --environment production": BOOTSTRAP,
    "python bootstrap.py plan --environment staging": BOOTSTRAP,
    "python bootstrap.py apply --environment staging": BOOTSTRAP,
    "python bootstrap.py verify --environment staging": BOOTSTRAP,
    "python bootstrap.py add-user-to-group alice mlflow-users --environment production": BOOTSTRAP,
    "python bootstrap.py list-users --environment production": BOOTSTRAP,
    "python bootstrap.py remove-user-from-group alice mlflow-users --environment production": BOOTSTRAP,
    "python bootstrap.py rotate oidc --environment production": ROTATION,
    "python bootstrap.py rotate postgres --environment production": ROTATION,
    "python bootstrap.py rotate s3 --environment production": ROTATION,
    "python bootstrap.py rotate server --environment production": ROTATION,
    "mc mb store/mlflow-new": COPY,
    "mc mirror store/mlflow store/mlflow-new": COPY,
    "python bootstrap.py apply minio --environment production --adopt minio/bucket/mlflow-new": BUCKET,
    "make build-and-push-image": PUSH,
    "make build-and-push-image IMAGE_REGISTRY=registry.example.com": PUSH,
    "make build-image RELEASE=3.17.2": BUILD,
    "make push-image RELEASE=3.17.2 IMAGE_REGISTRY=registry.example.com": PUSH,
    "kubectl apply -f dist/production/delivery/flux/": FLUX,
    "kubectl apply -f dist/staging/delivery/flux/": FLUX,
    "kubectl apply -f dist/production/delivery/argocd/Application.mlflow-production.k8s.yaml": ARGO,
    "kubectl apply -f dist/staging/delivery/argocd/": ARGO,
    "kubectl apply --server-side -f dist/production/application/Namespace.mlflow.k8s.yaml": ORDER,
    "kubectl apply --server-side -f dist/production/database/ -f dist/production/application/": ORDER,
    "kubectl exec -n mlflow deploy/mlflow -- mlflow-sso check": CHECK,
    "kubectl -n mlflow exec deploy/mlflow -- mlflow-sso check": CHECK,
    "kubectl -n mlflow-staging exec deploy/mlflow -- mlflow-sso check": CHECK,
    "kubectl -n mlflow-staging wait deployment/mlflow --for=condition=Available --timeout=15m": FLUX,
    "kubectl -n mlflow logs deploy/mlflow": CHECK,
    "kubectl -n mlflow get externalsecrets,jobs,pods": LOOK,
    "kubectl -n mlflow get hpa mlflow": Not("needs server.autoscaling"),
    "kubectl -n mlflow get cronjob mlflow-dump": Not("needs backup.target"),
    "kubectl -n mlflow get certificates,certificaterequests": CERTIFICATES,
    "kubectl -n mlflow describe certificates": CERTIFICATES,
    "kubectl -n postgres port-forward service/postgres-cluster-rw 5432:5432": CLUSTER,
    'kubectl -n mlflow annotate externalsecret --all force-sync="$(date +%s)" --overwrite': ROTATION,
    # In the test the first of both is one that servers have for a moment, so that all ends as it was.
    "cat old.crt new.crt > both.crt": AUTHORITY,
    "kubectl -n mlflow create configmap company-ca --from-file=ca.crt=both.crt --dry-run=client -o yaml "
    "| kubectl apply --server-side --force-conflicts -f -": AUTHORITY,
    "MLFLOW_POSTGRES_CA_CRT_FILE=both.crt python bootstrap.py apply secrets --environment production": AUTHORITY,
    'kubectl -n postgres annotate externalsecret mlflow-db-role force-sync="$(date +%s)" --overwrite': ROTATION,
    "kubectl -n mlflow logs -l app.kubernetes.io/instance=mlflow --tail=-1 | grep -E 'changed Secret|mounted Secret'": (
        ROTATION
    ),
    "kubectl drain NODE --ignore-daemonsets --delete-emptydir-data": Not(
        "pods of the tests' node stand for themselves, so nothing would start them again; see the next"
    ),
    "kubectl drain NODE --ignore-daemonsets --delete-emptydir-data "
    "--pod-selector=app.kubernetes.io/instance=mlflow": DRAIN,
    "kubectl uncordon NODE": DRAIN,
    "kubectl delete node NODE": Not("would leave the only node of the tests without an object"),
    "kubectl delete --wait -f dist/production/delivery/flux/": By(
        "tests/node/test_flux.py", "test_uninstall_keeps_data_and_reinstall_adopts_it"
    ),
    "kubectl delete --wait -f dist/production/application/": UNINSTALL,
    "python bootstrap.py destroy --environment production": By(
        "tests/bootstrap/test_cli.py", "test_destroy_deletes_ours_and_only_named_data"
    ),
    "kubectl -n mlflow scale deployment/mlflow --replicas=0": RECOVERY,
    'kubectl -n mlflow patch cronjob mlflow-gc --patch \'{"spec": {"suspend": true}}\'': RECOVERY,
    'kubectl -n mlflow patch cronjob mlflow-gc --patch \'{"spec": {"suspend": false}}\'': RECOVERY,
    "kubectl -n mlflow create job mlflow-dump-now --from=cronjob/mlflow-dump": RECOVERY,
    "python bootstrap.py apply postgres --environment production": RECOVERY,
    "kubectl -n mlflow delete job mlflow-restore --ignore-not-found": RECOVERY,
    "kubectl -n mlflow create secret generic mlflow-restore-key --from-file=identity=key.txt": RECOVERY,
    "export MLFLOW_TRACKING_URI=https://localhost:30443": CLIENT,
    "export MLFLOW_TRACKING_USERNAME=user@example.com": CLIENT,
    "export MLFLOW_TRACKING_PASSWORD='the access key'": CLIENT,
    "export REQUESTS_CA_BUNDLE='the authority that make live has printed'": CLIENT,
}

BY_BEGINNING: dict[str, By | Not] = {
    "kubectl -n mlflow logs job/$(kubectl -n mlflow get jobs -o name": LOOK,
    "kubectl apply --server-side --force-conflicts -f dist/production/application/ -l ": RECOVERY,
    "kubectl -n mlflow get secret mlflow-db-secret -o jsonpath=": RECOVERY,
    "kubectl -n mlflow create job mlflow-restore --from=cronjob/mlflow-dump --dry-run=client -o json "
    "| jq '.spec.template.spec.containers": RECOVERY,
    "kubectl -n mlflow create job mlflow-restore --from=cronjob/mlflow-dump --dry-run=client -o json "
    "| jq '.spec.template.spec |=": RECOVERY,
    "kubectl -n mlflow create job mlflow-fsck --from=cronjob/mlflow-gc": RECOVERY,
    "until kubectl -n mlflow logs -f job/": RECOVERY,
    "kubectl -n mlflow logs -l app.kubernetes.io/component=tracking-server": LOOK,
    "kubectl -n mlflow logs deploy/mlflow --previous": Not("needs a container that was restarted"),
    "kubectl -n mlflow logs job/$(kubectl -n mlflow get jobs --sort-by": LOOK,
    "kubectl -n mlflow describe ": LOOK,
    "kubectl -n mlflow top pods": INCIDENT,
    "kubectl -n mlflow get ": LOOK,
    "kubectl -n cnpg-system get ": INCIDENT,
    "kubectl -n postgres get ": INCIDENT,
    "kubectl -n postgres describe ": INCIDENT,
    "kubectl -n postgres logs ": INCIDENT,
    "flux -n flux-system get ": INCIDENT,
    "argocd app delete ": ARGO,
    "argocd app ": INCIDENT,
    "pg_dump ": LEAVE,
    "pg_restore ": LEAVE,
    "pip install mlflow==": Not("the tests have the release installed from its lock"),
    "mlflow server ": LEAVE,
    "curl -u you@example.com:KEY -X POST": GRANT,
    "export MLFLOW_TRACKING_TOKEN=$(curl -s -u": MACHINE,
}
"""Commands too long to repeat, by what they begin with."""


def where_tried(command: str) -> By | Not | None:
    """The row of ``command``; None if it has none."""
    if command in WHERE_TRIED:
        return WHERE_TRIED[command]
    return next((row for beginning, row in BY_BEGINNING.items() if command.startswith(beginning)), None)
