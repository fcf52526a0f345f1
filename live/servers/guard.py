"""Runs one command and ends it when standard input closes, as it does when whoever started us wants that, or dies.

Usage: python guard.py SIGNAL GRACE_SECONDS USER FOLDER AFTER COMMAND…  (an empty USER stays who we are)
FOLDER, if it is not empty, is deleted in the end when whoever started us can no longer do it.
SIGUSR1 kills the command's process group at once. AFTER is a command as a JSON list, which runs when none of the group
is left; an empty list runs nothing.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main(arguments: list[str]) -> int:
    """The command's own exit code; none of its process group is left."""
    number, grace, user, folder, after, *command = arguments
    starter = os.getppid()
    credentials = {"user": user, "group": user, "extra_groups": []} if user else {}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **credentials)  # type: ignore[call-overload]
    signal.signal(signal.SIGUSR1, lambda *_: _kill_group(child.pid))
    watch = threading.Thread(target=_end_with_parent, args=(child, int(number), float(grace)), daemon=True)
    watch.start()
    code = int(child.wait())
    # Also after a polite end: children of the command may have been left in its group.
    _kill_group(child.pid)
    if json.loads(after):
        subprocess.run(json.loads(after), stdin=subprocess.DEVNULL, check=False)
    if folder and os.getppid() != starter:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _end_with_parent(child: "subprocess.Popen[bytes]", number: int, grace: float) -> None:
    # Standard input is a pipe that its starter never writes to: reading returns when that closes it, or dies.
    os.read(0, 1)
    child.send_signal(number)
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        _kill_group(child.pid)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
