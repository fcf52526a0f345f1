"""Azurite, Microsoft's emulator of Azure Storage, from npm: its Blob service with one account."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlencode

from live.servers.process import TlsServer
from testbed.servers.programs import npm_program

VERSION = "3.35.0"
ACCOUNT = "exampleaccount"


@dataclass(kw_only=True)
class Azurite(TlsServer):
    """The Blob service; with ``tls`` it has a certificate for ``localhost`` and takes tokens of Entra ID as well."""

    name: ClassVar[str] = "azurite"

    key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(64)).decode(), repr=False)

    @property
    def url(self) -> str:
        """Address of the account's Blob service."""
        return f"{super().url}/{ACCOUNT}"

    @property
    def signature(self) -> str:
        """Query of a request that may do everything (REST API, "Create an account SAS", of version 2019-12-12)."""
        given = {"sp": "rwdlac", "ss": "b", "srt": "sco", "st": "", "se": "2100-01-01T00:00:00Z", "sip": "", "spr": ""}
        given |= {"sv": "2019-12-12"}
        text = "".join(f"{value}\n" for value in (ACCOUNT, *given.values()))
        signed = hmac.new(base64.b64decode(self.key), text.encode(), hashlib.sha256).digest()
        named = {**given, "sig": base64.b64encode(signed).decode()}
        return urlencode({name: value for name, value in named.items() if value})

    def prepare(self) -> Sequence[str]:
        """Install it once a machine."""
        program = npm_program("azurite", VERSION, command="azurite-blob")
        # It tells its makers of its use by default, and refuses clients that are newer than itself.
        options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", "127.0.0.1"]
        tls = ["--cert", str(self.certificate.certificate), "--key", str(self.certificate.key), "--oauth", "basic"]
        place = ["--blobPort", str(self.port), "--location", str(self.folder)]
        return [str(program), *options, *place, *(tls if self.tls else [])]

    def environment(self) -> Mapping[str, str]:
        """The account and its key."""
        return {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.key}"}

    def ready(self) -> bool:
        """Whether it answers."""
        return self.answers(f"?comp=list&{self.signature}")
