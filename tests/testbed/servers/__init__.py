"""Servers as local processes that only tests start: other stores than MinIO, a pooler, Prometheus and a registry."""

from testbed.servers.azurite import Azurite
from testbed.servers.ceph import Ceph
from testbed.servers.fake_gcs import FakeGcs
from testbed.servers.garage import Garage
from testbed.servers.pgbouncer import PgBouncer
from testbed.servers.prometheus import Prometheus
from testbed.servers.registry import Registry
from testbed.servers.seaweedfs import Seaweedfs

__all__ = [
    "Azurite",
    "Ceph",
    "FakeGcs",
    "Garage",
    "PgBouncer",
    "Prometheus",
    "Registry",
    "Seaweedfs",
]
