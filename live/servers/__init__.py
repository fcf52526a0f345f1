"""The real servers as local processes: typed, on free ports of 127.0.0.1, gone with the process that started them."""

from live.servers.cache import MissingProgramError
from live.servers.keycloak import Keycloak
from live.servers.minio import Minio
from live.servers.openbao import OpenBao
from live.servers.postgres import Postgres
from live.servers.process import Server, ServerError
from live.servers.redis import Redis
from live.servers.s3_store import S3Store

__all__ = [
    "Keycloak",
    "Minio",
    "MissingProgramError",
    "OpenBao",
    "Postgres",
    "Redis",
    "S3Store",
    "Server",
    "ServerError",
]
