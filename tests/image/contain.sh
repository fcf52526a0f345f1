#!/bin/sh
# Runs a command in an image's root file system as a pod would: read-only, as a numeric user without capabilities, with a
# writable /tmp and the Secrets mounted. Needs root and a mount namespace.
#
# Usage: contain.sh ROOT USER TMP SECRETS COMMAND…
set -eu
root=$1 user=$2 temporary=$3 secrets=$4
shift 4
mount --make-rprivate /
mount --bind "$root" /mnt
mount --bind "$temporary" /mnt/tmp
mount --rbind /dev /mnt/dev
mount -t proc proc /mnt/proc
mount -t tmpfs none /mnt/run
mkdir -p /mnt/run/secrets/mlflow
mount --bind "$secrets" /mnt/run/secrets/mlflow
mount -o remount,bind,ro /mnt/run/secrets/mlflow
mount -o remount,ro /mnt/run
mount -o remount,bind,ro /mnt
cd /
exec chroot /mnt setpriv --reuid "$user" --regid "$user" --clear-groups --bounding-set=-all --no-new-privs \
  sh -c 'cd /tmp && exec "$@"' sh "$@"
