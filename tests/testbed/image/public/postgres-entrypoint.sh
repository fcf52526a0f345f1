#!/bin/bash
# What the public image does at its first start: a cluster in PGDATA with the password of POSTGRES_PASSWORD_FILE, then the server with the
# arguments, which are options of `postgres` if they begin with a dash.
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
if [ "${1:0:1}" = - ]; then
  set -- postgres "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --pgdata="$PGDATA" --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --auth-local=trust --auth-host=scram-sha-256
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
fi
exec "$@" -D "$PGDATA"
