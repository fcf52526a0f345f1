"""Run uv with the package index and the certificates of pip: ``python tools/run_uv.py UV ARGUMENT…``.

uv reads neither pip.conf nor PIP_*. What is set for uv itself, by UV_* or SSL_CERT_FILE, wins.
Sources: pip documentation, "Configuration"; uv documentation, "Environment variables".
"""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping

NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
"""Variable that uv reads, by pip's name of the setting."""

_SECTIONS = ("global", "install", ":env:")
"""From the weakest to the strongest."""


def pip_settings(listed: str) -> dict[str, str]:
    """Settings by name from the lines of ``pip config list``, such as ``global.index-url='https://…'``."""
    found: dict[str, str] = {}
    # Order of strength, not of the lines: pip lists its sections by name.
    for section in _SECTIONS:
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(f"{section}.") and value:
                found[key.removeprefix(f"{section}.").replace("_", "-")] = str(ast.literal_eval(value))
    return found


def uv_variables(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What uv must be told beyond ``environ`` to do as pip would with ``settings``."""
    told = {NAMES[name]: " ".join(value.split()) for name, value in settings.items() if name in NAMES and value}
    if "UV_FIND_LINKS" in told:
        told["UV_FIND_LINKS"] = told["UV_FIND_LINKS"].replace(" ", ",")
    if "UV_INDEX" in told:
        # pip takes the best version of all indexes; the hashes of the locks say which file it may be.
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    # pip's no-index may be written as false, which means the same as leaving it out.
    if told.get("UV_NO_INDEX", "").lower() in {"0", "false", "no", "off"}:
        del told["UV_NO_INDEX"]
    # What is set for uv itself was meant for uv.
    return {name: value for name, value in told.items() if not environ.get(name)}


def main() -> None:
    """Become uv."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    variables = uv_variables(pip_settings(asked.stdout), os.environ)
    os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, **variables})  # noqa: S606  (make chose the program)


if __name__ == "__main__":
    main()
