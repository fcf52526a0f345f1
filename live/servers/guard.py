"""Runs one command and ends its whole process group when standard input closes, as it does when our parent dies.

Usage: python guard.py SIGNAL GRACE_SECONDS USER COMMAND…  (an empty USER stays who we are)
"""

import os
import signal
import subprocess
import sys
import threading


def main(arguments: list[str]) -> int:
    """Exit with the command's own code, or not at all when the group had to be killed."""
    number, grace, user, *command = arguments
    # Signals to the group are for the command; we leave when it does.
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(name, lambda *_: None)
    credentials = {"user": user, "group": user, "extra_groups": []} if user else {}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, **credentials)  # type: ignore[call-overload]
    watch = threading.Thread(target=_end_with_parent, args=(child, int(number), float(grace)), daemon=True)
    watch.start()
    return int(child.wait())


def _end_with_parent(child: "subprocess.Popen[bytes]", number: int, grace: float) -> None:
    os.read(0, 1)
    child.send_signal(number)
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
