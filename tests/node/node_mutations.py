"""Single changes of what the constructs say that a kubelet, a controller or Traefik notices, and no schema does.

Each names the check that notices it first, of those in ``test_node_mutations.py``.
"""

from mutation import Mutation

ROLLOUT = "pods_become_ready"
TRAEFIK = "traefik_reaches_the_server"
FILES = "only_tmp_is_writable"
BUDGET = "one_pod_may_be_evicted"
JOB = "exit_code_1_ends_the_migration"

MUTATIONS = (
    Mutation(
        name="port of the NetworkPolicy",
        module="network_policy.py",
        was="from_=sources, ports=ports_of(HTTP_PORT)",
        becomes="from_=sources, ports=ports_of(METRICS_PORT)",
        noticed_by=TRAEFIK,
    ),
    Mutation(
        name="path of the probes",
        module="tracking_server.py",
        was='path="/health", port',
        becomes='path="/healthy", port',
        noticed_by=ROLLOUT,
    ),
    # Without it the kubelet leaves mounted Secrets to root.
    Mutation(name="fsGroup", module="pods.py", was="fs_group=user,", becomes="fs_group=None,", noticed_by=ROLLOUT),
    Mutation(
        name="one more writable folder",
        module="pods.py",
        was='k8s.VolumeMount(name="tmp", mount_path=TEMPORARY)]',
        becomes='k8s.VolumeMount(name="tmp", mount_path=TEMPORARY), k8s.VolumeMount(name="tmp", mount_path="/srv")]',
        noticed_by=FILES,
    ),
    Mutation(
        name="name of the Middleware",
        module="ingress.py",
        was="{namespace}-{name}@kubernetescrd",
        becomes="{namespace}/{name}@kubernetescrd",
        noticed_by=TRAEFIK,
    ),
    Mutation(
        name="selector of the Service",
        module="tracking_server.py",
        was='            selector=selector("tracking-server", settings.name),\n',
        becomes='            selector=selector("maintenance", settings.name),\n',
        noticed_by=TRAEFIK,
    ),
    Mutation(
        name="selector of the PodDisruptionBudget",
        module="tracking_server.py",
        was='match_labels=selector("tracking-server", settings.name)),\n            unhealthy',
        becomes='match_labels=selector("maintenance", settings.name)),\n            unhealthy',
        noticed_by=BUDGET,
        # One replica has no budget: it could never be drained.
        changes={"server.replicas": 2},
    ),
    Mutation(
        name="podFailurePolicy",
        module="migration.py",
        was='on("FailJob", 1),\n        *dump',
        becomes='on("Count", 1),\n        *dump',
        noticed_by=JOB,
    ),
    Mutation(
        name="ServiceAccount",
        module="pods.py",
        was="service_account_name=settings.server.service_account or settings.name",
        becomes='service_account_name=settings.server.service_account or "tracking-server"',
        noticed_by=ROLLOUT,
    ),
    Mutation(
        name="DNS policy",
        module="pods.py",
        was='"enable_service_links": False,',
        # The resolver of the node knows no Services.
        becomes='"enable_service_links": False,\n        "dns_policy": "Default",',
        noticed_by=ROLLOUT,
    ),
)
