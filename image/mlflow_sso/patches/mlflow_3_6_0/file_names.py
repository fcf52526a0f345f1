"""Files with any name can be downloaded: MLflow 3.6.0 writes it into a header as it is, which knows latin-1 only."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote


def name_files_in_utf8() -> None:
    """Say other names than ASCII in the form that browsers read (RFC 5987, of ``filename*``)."""
    from mlflow.server import handlers

    write = handlers._response_with_file_attachment_headers

    def written(file_path: str, response: Any) -> Any:
        name = PurePosixPath(file_path).name
        # MLflow leaves a header that is there.
        if not name.isascii():
            response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
        return write(file_path, response)

    handlers._response_with_file_attachment_headers = written
