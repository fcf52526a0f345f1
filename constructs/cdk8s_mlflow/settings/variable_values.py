"""What the variables of ``server.extra_environment`` may be; with another value the server fails, or drops it.

Sources: mlflow/environment_variables.py and mlflow_oidc_auth/config.py of both releases, botocore ("Configuration",
"Using environment variables"), and the documentation of libgomp, OpenBLAS and glibc's malloc.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Values:
    """What a variable may be."""

    takes: Callable[[str], object]
    """Tells whether a value is one, by its truth."""
    example: str
    """What it must be, for a message: "must be …"."""


def _pattern(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern).fullmatch


def _words(*words: str) -> Values:
    return Values(lambda value: value in words, f"{', '.join(words[:-1])} or {words[-1]}")


def _number(least: int, of: str = "", most: int = 2**31 - 1) -> Values:
    def takes(value: str) -> bool:
        return re.fullmatch(r"-?[0-9]{1,10}", value) is not None and least <= int(value) <= most

    return Values(takes, f"a whole number{f' of {of}' if of else ''}, {least} or more")


def _compiles(value: str) -> bool:
    try:
        re.compile(value)
    except re.error:
        return False
    return True


SWITCH = Values(_pattern(r"(?i:true|false)|[01]"), "true or false")
SECONDS = _number(1, "seconds")
COUNT = _number(1)
COUNT_OR_NONE = _number(0)
LOG_LEVELS = Values(_pattern(r"(?i:DEBUG|INFO|WARNING|ERROR|CRITICAL)"), "DEBUG, INFO, WARNING, ERROR or CRITICAL")
PART_OF_UPLOAD = _number(5 << 20, "bytes")
"""Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits"."""
LOCALE = Values(_pattern(r"[A-Za-z0-9_.@-]+"), "the name of a locale, such as C.UTF-8")

VALUES: Mapping[str, Values] = {
    # how much is logged
    "MLFLOW_LOGGING_LEVEL": LOG_LEVELS,
    "MLFLOW_CONFIGURE_LOGGING": SWITCH,
    # patience with other systems
    "MLFLOW_HTTP_REQUEST_TIMEOUT": SECONDS,
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": COUNT_OR_NONE,
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": COUNT_OR_NONE,
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": Values(_pattern(r"[0-9]{1,9}(\.[0-9]{1,9})?"), "a number such as 1.0"),
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": SWITCH,
    "MLFLOW_HTTP_POOL_CONNECTIONS": COUNT,
    "MLFLOW_HTTP_POOL_MAXSIZE": COUNT,
    "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": _number(-1, "seconds"),
    "MLFLOW_WEBHOOK_REQUEST_TIMEOUT": SECONDS,
    "MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES": COUNT_OR_NONE,
    "MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS": COUNT,
    "MLFLOW_WEBHOOK_CACHE_TTL": _number(0, "seconds"),
    "AWS_MAX_ATTEMPTS": COUNT,
    "AWS_RETRY_MODE": _words("legacy", "standard", "adaptive"),
    # how artifacts are sent to and from S3
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": SECONDS,
    "MLFLOW_ENABLE_MULTIPART_UPLOAD": SWITCH,
    "MLFLOW_ENABLE_MULTIPART_DOWNLOAD": SWITCH,
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": PART_OF_UPLOAD,
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": PART_OF_UPLOAD,
    "MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE": _number(1, "bytes"),
    "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": _number(1, "bytes"),
    "MLFLOW_DOWNLOAD_CHUNK_TIMEOUT": SECONDS,
    "AWS_STS_REGIONAL_ENDPOINTS": _words("legacy", "regional"),
    # Anything but true counts as false.
    "AWS_EC2_METADATA_DISABLED": Values(_pattern(r"(?i:true|false)"), "true or false"),
    # what is refused beyond the rules, and how long values may be
    "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX": Values(_compiles, "a regular expression of Python"),
    "MLFLOW_TRUNCATE_LONG_VALUES": SWITCH,
    "MLFLOW_SEARCH_TRACES_MAX_BATCH_SIZE": COUNT,
    "MLFLOW_DELETE_TRACES_MAX_BATCH_SIZE": COUNT,
    # pages
    "EXTEND_MLFLOW_MENU": SWITCH,
    # the process
    "LANG": LOCALE,
    "LC_ALL": LOCALE,
    "MALLOC_ARENA_MAX": COUNT_OR_NONE,
    "MALLOC_TRIM_THRESHOLD_": _number(-1, "bytes"),
    "OMP_NUM_THREADS": COUNT,
    "OPENBLAS_NUM_THREADS": COUNT,
    "MKL_NUM_THREADS": COUNT,
    # on one release only, see HARMLESS_ON
    "MLFLOW_HTTP_TCP_KEEPALIVE": SWITCH,
    "MLFLOW_HTTP_TCP_KEEPALIVE_COUNT": COUNT,
    "MLFLOW_HTTP_TCP_KEEPALIVE_IDLE": SECONDS,
    "MLFLOW_HTTP_TCP_KEEPALIVE_INTERVAL": SECONDS,
    "MLFLOW_S3_EXPECTED_BUCKET_OWNER": Values(_pattern(r"[0-9]{12}"), "an account of AWS, twelve digits"),
    "MLFLOW_DISABLE_AGENT_HINT": SWITCH,
    "AUDIT_LOG_ENABLED": SWITCH,
    "AUDIT_LOG_LEVEL": LOG_LEVELS,
    "OIDC_DB_POOL_RECYCLE_SECONDS": _number(0, "seconds"),
    "OIDC_HTTP_TIMEOUT_SECONDS": SECONDS,
}
"""By variable; there is one for each that is known to be harmless, and for no other."""


def refused_values(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of name and message, one for each variable whose value its reader cannot use."""
    for name, value in variables.items():
        values = VALUES.get(name)
        if values and not values.takes(value):
            yield name, f"is {value!r}, which the server cannot use; it must be {values.example}"
