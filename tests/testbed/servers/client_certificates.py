"""Certificates by which a client logs in."""

from pathlib import Path

from live.servers.certificates import Certificate, sign


def issue_client(folder: Path, name: str) -> Certificate:
    """A client's certificate for the user ``name``, of an authority of its own."""
    issued = Certificate.within(folder)
    sign(issued, name)
    return issued
