"""The real servers as local processes: typed, on free ports of 127.0.0.1, gone with the process that started them."""

from live.servers.azurite import Azurite
from live.servers.cache import MissingProgramError
from live.servers.ceph import Ceph
from live.servers.fake_gcs import FakeGcs
from live.servers.garage import Garage
from live.servers.keycloak import Keycloak
from live.servers.minio import Minio
from live.servers.openbao import OpenBao
from live.servers.pgbouncer import PgBouncer
from live.servers.postgres import Postgres
from live.servers.process import Server, ServerError
from live.servers.prometheus import Prometheus
from live.servers.redis import Redis
from live.servers.registry import Registry
from live.servers.s3_store import S3Store
from live.servers.seaweedfs import Seaweedfs

__all__ = [
    "Azurite",
    "Ceph",
    "FakeGcs",
    "Garage",
    "Keycloak",
    "Minio",
    "MissingProgramError",
    "OpenBao",
    "PgBouncer",
    "Postgres",
    "Prometheus",
    "Redis",
    "Registry",
    "S3Store",
    "Seaweedfs",
    "Server",
    "ServerError",
]
