"""The dashboard for Grafana, as code: rows of panels, each with the queries that it shows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cdk8s_plus_27 import k8s
from constructs import Construct
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions, VizTooltipOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueTextMode,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from cdk8s_mlflow.alerts import ARTIFACT_RULES, own_metrics
from cdk8s_mlflow.metadata import labels
from cdk8s_mlflow.settings import Settings

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH, HEIGHT = 24, 8
"""Of the grid, and of a panel in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture; ``queries`` by the legend of their series."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    number: BigValueTextMode | None = None
    """What is shown, of the last value only; None for series over time."""


class DashboardConfigMap(Construct):
    """A ConfigMap that Grafana's sidecar takes the dashboard from."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        k8s.KubeConfigMap(
            self,
            "Resource",
            metadata=k8s.ObjectMeta(
                name=f"{settings.name}-dashboard",
                namespace=settings.namespace,
                labels={**labels("tracking-server"), **settings.monitoring.dashboard_labels},
                # Flux would take Grafana's variables for its own.
                annotations={"kustomize.toolkit.fluxcd.io/substitute": "disabled"},
            ),
            data={f"{settings.instance}.json": dashboard_json(settings)},
        )


def dashboard_json(settings: Settings) -> str:
    """The dashboard, in the form that Grafana 10 and newer reads."""
    board = (
        dashboard.Dashboard(settings.instance)
        .uid(settings.instance[:40])
        .tags(["mlflow"])
        .time("now-6h", "now")
        .refresh("1m")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for title, panels in rows(settings).items():
        board = board.with_row(dashboard.Row(title))
        for panel in panels:
            board = board.with_panel(_built(panel, width=WIDTH // len(panels)))
    return json.dumps(board.build(), cls=JSONEncoder, indent=1, sort_keys=True)


def _built(panel: Panel, *, width: int) -> stat.Panel | timeseries.Panel:
    built: stat.Panel | timeseries.Panel
    if panel.number is None:
        # Written out, as Grafana itself saves them: without, a panel has no options at all.
        below = VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
        tooltip = VizTooltipOptions().mode(TooltipDisplayMode.MULTI)
        built = timeseries.Panel().min(0).legend(below.show_legend(True)).tooltip(tooltip)
    else:
        built = stat.Panel().reduce_options(ReduceDataOptions().calcs(["lastNotNull"])).text_mode(panel.number)
    built = built.title(panel.title).unit(panel.unit).datasource(DATASOURCE).span(width).height(HEIGHT)
    for number, (legend, query) in enumerate(panel.queries.items()):
        target = prometheus.Dataquery().expr(query).legend_format(legend).ref_id(chr(ord("A") + number))
        built = built.with_target(target)
    return built


def rows(settings: Settings) -> dict[str, Sequence[Panel]]:
    """All panels, by the title of their row."""
    here = own_metrics(settings)
    return {
        "Now": tuple(_now(here)),
        "Requests": tuple(_requests(here)),
        "Refusals and artifacts": tuple(_refusals(here)),
        "Databases": tuple(_databases(here)),
        "Programs and secrets": tuple(_programs(here)),
    }


def _now(here: str) -> Iterator[Panel]:
    requests = f"mlflow_sso_requests_total{{{here}"
    failed = f'(sum(rate({requests},status="5xx"}}[$__range])) or vector(0))'
    yield Panel(title="Pods", queries={"pods": f"sum(up{{{here}}})"}, number=BigValueTextMode.VALUE)
    yield Panel(
        title="Answered without an error",
        queries={"share": f"1 - {failed} / sum(rate({requests}}}[$__range]))"},
        unit="percentunit",
        number=BigValueTextMode.VALUE,
    )
    yield Panel(
        title="Requests a second",
        queries={"requests": f"sum(rate({requests}}}[$__rate_interval]))"},
        unit="reqps",
        number=BigValueTextMode.VALUE,
    )
    yield Panel(
        title="Versions",
        queries={"{{mlflow}} {{plugin}}": f"count by (mlflow, plugin) (mlflow_sso_release_info{{{here}}})"},
        number=BigValueTextMode.NAME,
    )


def _requests(here: str) -> Iterator[Panel]:
    buckets = f'mlflow_sso_request_duration_seconds_bucket{{{here},rule!~"{ARTIFACT_RULES}"}}'
    yield Panel(
        title="Requests by status",
        queries={"{{status}}": f"sum by (status) (rate(mlflow_sso_requests_total{{{here}}}[$__rate_interval]))"},
        unit="reqps",
    )
    yield Panel(
        title="Time to answer, artifacts aside",
        queries={
            f"{share} of 100": f"histogram_quantile({share / 100}, sum by (le) (rate({buckets}[$__rate_interval])))"
            for share in (50, 95, 99)
        },
        unit="s",
    )
    seconds = f"sum by (rule) (rate(mlflow_sso_request_duration_seconds_sum{{{here}}}[$__rate_interval]))"
    yield Panel(title="Time spent, by rule", queries={"{{rule}}": f"topk(8, {seconds})"}, unit="s")


def _refusals(here: str) -> Iterator[Panel]:
    refused = f"mlflow_sso_refused_requests_total{{{here}}}"
    yield Panel(
        title="Refused, by reason",
        queries={"{{reason}}": f"sum by (reason) (rate({refused}[$__rate_interval]))"},
        unit="reqps",
    )
    moved = f"mlflow_sso_artifact_bytes_total{{{here}}}"
    yield Panel(
        title="Artifacts",
        queries={"{{direction}}": f"sum by (direction) (rate({moved}[$__rate_interval]))"},
        unit="Bps",
    )


def _databases(here: str) -> Iterator[Panel]:
    connections = f"max by (state) (mlflow_sso_database_connections{{{here}}})"
    yield Panel(
        title="Connections",
        queries={"{{state}}": connections, "limit": f"max(mlflow_sso_database_connections_limit{{{here}}})"},
    )
    yield Panel(
        title="Size",
        queries={"{{database}}": f"max by (database) (mlflow_sso_database_size_bytes{{{here}}})"},
        unit="bytes",
    )
    yield Panel(title="Rows", queries={"{{table}}": f"max by (table) (mlflow_sso_rows{{{here}}})"})
    yield Panel(
        title="Answering, and at this image's schema",
        queries={
            "{{database}} answers": f"max by (database) (mlflow_sso_database_up{{{here}}})",
            "{{database}} schema": f"min by (database) (mlflow_sso_schema_at_head{{{here}}})",
        },
    )


def _programs(here: str) -> Iterator[Panel]:
    last = f"mlflow_sso_program_last_success_timestamp_seconds{{{here}}}"
    yield Panel(
        title="Since the last success", queries={"{{program}}": f"time() - max by (program) ({last})"}, unit="s"
    )
    counted = f"max by (program, what) (mlflow_sso_program_last_count{{{here}}})"
    yield Panel(title="Done by the latest run", queries={"{{program}} {{what}}": counted})
    yield Panel(title="Pods with the newest Secrets", queries={"pods": f"sum(mlflow_sso_secrets_in_use{{{here}}})"})
    changed = f"sum by (result) (increase(mlflow_sso_secrets_reloaded_total{{{here}}}[$__range]))"
    yield Panel(title="Changed Secrets", queries={"{{result}}": changed}, number=BigValueTextMode.VALUE_AND_NAME)
