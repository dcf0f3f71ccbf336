#!/bin/sh
# The tests want a real PostgreSQL, and strace to make system calls fail: Debian's, where we may
# install; elsewhere those tests are skipped.
set -eu
wanted=
found=
for path in /usr/lib/postgresql/*/bin/postgres; do
    if [ -x "$path" ]; then found=yes; fi
done
if [ -z "$found" ] && ! command -v postgres >/dev/null 2>&1; then wanted=postgresql; fi
if ! command -v strace >/dev/null 2>&1; then wanted="$wanted strace"; fi
if [ -n "$wanted" ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # Debian's package would start a server of its own at once.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    # shellcheck disable=SC2086 # several names
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $wanted >/dev/null
fi
