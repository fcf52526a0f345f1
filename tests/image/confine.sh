#!/bin/sh
# Runs a command as a pod would: as a numeric user without capabilities, on a root file system that is read-only but
# for one directory. Needs root and a mount namespace.
#
# Usage: confine.sh USER WRITABLE CLOSED PREFIX COMMAND…
# CLOSED is a directory that USER may not enter but that the interpreter's PREFIX lies in; empty if there is none.
set -eu
user=$1 writable=$2 closed=$3 prefix=$4
shift 4
mount --make-rprivate /
if [ -n "$closed" ]; then
  mount --bind "$prefix" /mnt
  mount -t tmpfs -o mode=755 none "$closed"
  mkdir -p "$prefix"
  mount --bind /mnt "$prefix"
  umount /mnt
fi
mount --bind "$writable" "$writable"
mount -o remount,bind,ro /
exec setpriv --reuid "$user" --regid "$user" --clear-groups --bounding-set=-all --no-new-privs "$@"
