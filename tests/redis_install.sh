#!/bin/sh
# The tests of several processes want a real Redis and a real nginx: Debian's, where we may
# install; elsewhere those tests are skipped.
set -eu
wanted=
command -v redis-server >/dev/null 2>&1 || wanted=redis-server
PATH="$PATH:/usr/sbin" command -v nginx >/dev/null 2>&1 || wanted="$wanted nginx-light"
if [ -n "$wanted" ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # Debian's packages would start servers of their own at once: 101 means "not allowed".
    policy=/usr/sbin/policy-rc.d
    made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        made=yes
    fi
    # shellcheck disable=SC2086 # several names
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted \
        >/dev/null || true
    [ -z "$made" ] || rm -f "$policy"
fi
