"""Every Secret that a pod mounts comes from the secret store."""

from tests.manifests.objects import Render, environment, only, pod_specs


def test_mounted_secrets_come_from_external_secrets(rendered: Render) -> None:
    objects = rendered(release="3.17.2", ingress={"cloudflared": {}})
    volumes = [volume for spec in pod_specs(objects) for volume in spec["volumes"] if "secret" in volume]

    made = {(where, name) for kind, where, name in objects if kind == "ExternalSecret"}
    assert {("mlflow", volume["secret"]["secretName"]) for volume in volumes} <= made


def test_server_secret_takes_every_key_from_store(rendered: Render) -> None:
    data = only(rendered(release="3.17.2"), "ExternalSecret", "mlflow-server-secret")["spec"]["data"]

    properties = {item["remoteRef"]["property"] for item in data}
    assert properties == {
        "secret_key",
        "session_token_encryption_key",
        "webhook_secret_encryption_key",
        "crypto_kek_passphrase",
    }
    assert {item["remoteRef"]["key"] for item in data} == {"mlflow/server"}


def test_cloud_identity_needs_no_keys(rendered: Render) -> None:
    objects = rendered(artifacts={"kind": "s3", "endpoint": None, "credentials": "service-account"})

    assert not any(name == "mlflow-s3-secret" for _, _, name in objects)
    assert "AWS_SHARED_CREDENTIALS_FILE" not in environment(objects)
