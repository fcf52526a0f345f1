"""Runs one command and ends it when standard input closes, as it does when whoever started us wants that, or dies.

Usage: python guard.py SIGNAL GRACE_SECONDS USER AFTER COMMAND…  (an empty USER stays who we are)
SIGUSR1 kills the command's process group at once. AFTER is a command as a JSON list, which runs when none of the group
is left; an empty list runs nothing.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main(arguments: list[str]) -> int:
    """The command's own exit code; none of its process group is left."""
    number, grace, user, after, *command = arguments
    credentials = {"user": user, "group": user, "extra_groups": []} if user else {}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **credentials)  # type: ignore[call-overload]
    signal.signal(signal.SIGUSR1, lambda *_: _kill_group(child.pid))
    watch = threading.Thread(target=_end_with_parent, args=(child, int(number), float(grace)), daemon=True)
    watch.start()
    code = int(child.wait())
    _kill_group(child.pid)
    if json.loads(after):
        subprocess.run(json.loads(after), stdin=subprocess.DEVNULL, check=False)
    return code


def _end_with_parent(child: "subprocess.Popen[bytes]", number: int, grace: float) -> None:
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
