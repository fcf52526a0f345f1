"""What every section of the settings is made of: the base model and the field types with their bounds."""

import ipaddress
import re
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


class Section(BaseModel):
    """A frozen group of settings; unknown keys and silently converted types are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    def replace(self, **changes: Any) -> Self:
        """The same section with ``changes``, validated again.

        Raises:
            pydantic.ValidationError: a changed value is not allowed.
        """
        return type(self).model_validate({**{name: getattr(self, name) for name in self.model_fields_set}, **changes})


_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


def _hostname(value: str) -> str:
    if "://" in value:
        raise ValueError("must be a bare host name, without a scheme; https is always used")
    if "*" in value:
        raise ValueError("must name one host; a wildcard is not allowed")
    if ":" in value:
        raise ValueError("must be a bare host name; a port other than 443 has a setting of its own")
    if len(value) > 253 or not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", value):
        raise ValueError("must be a lowercase DNS name such as mlflow.example.com")
    if re.fullmatch(r"[0-9.]+", value):
        raise ValueError("must be a DNS name, not an IP address; TLS certificates and cookies need a name")
    return value


def _https_url(value: str) -> str:
    parts = _url(value)
    if parts.scheme != "https":
        raise ValueError("must start with https://")
    return value


def _s3_endpoint(value: str) -> str:
    parts = _url(value)
    if parts.path not in ("", "/") or parts.query:
        raise ValueError("must have no path; the bucket has a setting of its own")
    in_cluster = (parts.hostname or "").endswith((".svc", ".svc.cluster.local"))
    if parts.scheme == "http" and not in_cluster:
        raise ValueError("must start with https://; plain http is allowed for an in-cluster S3 (*.svc) alone")
    if parts.scheme not in ("http", "https"):
        raise ValueError("must start with https://, or http:// for an in-cluster S3 (*.svc)")
    return value.rstrip("/")


def _git_url(value: str) -> str:
    parts = _url(value)
    if parts.scheme not in ("https", "ssh", "oci"):
        raise ValueError("must start with https://, ssh:// or oci://")
    return value


def _url(value: str) -> Any:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  (reading it is what validates it)
    except ValueError as error:
        raise ValueError(f"is not a URL ({str(error).lower()})") from error
    if not parts.scheme or not parts.hostname:
        raise ValueError("is not a URL such as https://host.example.com")
    return parts


def _cidr(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError("must be a network such as 203.0.113.0/24, with no host bits set") from error


_CRON_FIELD = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_CRON_PART = re.compile(r"(?P<range>\*|(?P<low>\d+)(-(?P<high>\d+))?)(/(?P<step>\d+))?")


def _cron(value: str) -> str:
    fields = value.split()
    if len(fields) != 5:
        raise ValueError("must have the five fields minute, hour, day, month, weekday, such as '17 3 * * *'")
    for text, (low, high) in zip(fields, _CRON_FIELD, strict=True):
        if not all(_cron_part(part, low, high) for part in text.split(",")):
            raise ValueError(f"has the field '{text}', which must lie in {low}-{high}, such as '17 3 * * *'")
    return value


def _cron_part(text: str, low: int, high: int) -> bool:
    match = _CRON_PART.fullmatch(text)
    if not match or match["step"] == "0":
        return False
    first = int(match["low"] or low)
    last = int(match["high"] or match["low"] or high)
    return low <= first <= last <= high


def _no_wildcard(value: str) -> str:
    if value.strip() in ("*", "*:*", ""):
        raise ValueError("must name hosts; a bare * lets any web page talk to the server")
    return value


def matching(pattern: str, example: str) -> AfterValidator:
    """Text that matches ``pattern`` whole; the error shows ``example``."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"must look like {example}")
        return value

    return AfterValidator(check)


def at_least(version: str, major: int, minor: int) -> bool:
    """Whether ``version``, such as 1.30 or 2.9.1, is ``major.minor`` or newer."""
    return tuple(int(part) for part in version.split(".")[:2]) >= (major, minor)


ProductVersion = Annotated[str, matching(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,4})?", "2.9 or 2.9.1, without a v")]
"""Version of an operator or a controller in the cluster."""

Hostname = Annotated[str, AfterValidator(_hostname)]
"""A lowercase DNS name without scheme or port."""

HttpsUrl = Annotated[str, AfterValidator(_https_url)]
S3Endpoint = Annotated[str, AfterValidator(_s3_endpoint)]
GitUrl = Annotated[str, AfterValidator(_git_url)]
Cidr = Annotated[str, AfterValidator(_cidr)]
CronSchedule = Annotated[str, AfterValidator(_cron)]
AllowedHost = Annotated[str, AfterValidator(_no_wildcard)]
Port = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Non-empty text on one line, without control characters."""

DnsLabel = Annotated[str, matching(_LABEL, "mlflow (lowercase letters, digits and '-', at most 63)")]
"""A name that may be a Kubernetes namespace or Service (RFC 1123 label)."""

DnsName = Annotated[str, StringConstraints(max_length=253), matching(rf"{_LABEL}(\.{_LABEL})*", "mlflow-secret")]
"""A name that may be most Kubernetes objects (RFC 1123 subdomain)."""

Quantity = Annotated[str, matching(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", "500m, 2 or 1Gi")]
"""A Kubernetes resource quantity."""

Duration = Annotated[str, matching(r"(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?", "30s, 10m or 1h")]
"""A Go duration in whole hours, minutes and seconds."""

EnvironmentName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "MLFLOW_LOGGING_LEVEL")]
Labels = dict[Text, Annotated[str, StringConstraints(max_length=4096)]]
