"""The file with which a shell logs in to what `make live` has started."""

import subprocess
from pathlib import Path

from live.logins import write_logins


# A path that a shell would split.
def test_logins_are_read_by_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    # Every sign that means something to a shell within some kind of quotes.
    secret = 'it\'s $HOME "quoted" `id` \\'
    # Of an earlier start: its content and its rights must not stay.
    (folder / "bootstrap.env").write_text("left over")

    file = write_logins(folder / "bootstrap.env", {"VAULT_TOKEN": secret, "PGUSER": "postgres"})
    read = subprocess.run(
        ["sh", "-c", f"set -a; . '{file}'; set +a; printenv VAULT_TOKEN PGUSER"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert read.stdout == f"{secret}\npostgres\n"
    assert file.stat().st_mode & 0o777 == 0o600
