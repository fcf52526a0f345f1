"""Constructs of another app's own."""

from constructs import Construct
from imports.io.cnpg import postgresql


class ReportDatabase(Construct):
    """A database beside ours, by the app's own import of CloudNativePG's kinds."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        cluster = postgresql.DatabaseSpecCluster(name="postgres-cluster")
        postgresql.Database(
            self, "Resource", spec=postgresql.DatabaseSpec(cluster=cluster, name="reports", owner="reports")
        )
