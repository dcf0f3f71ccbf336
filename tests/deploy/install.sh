#!/bin/sh
# The tests of docs/deploy want a real nginx and a real Prometheus: Debian's, where we may
# install; elsewhere those tests are skipped.
set -eu
wanted=
if ! command -v nginx >/dev/null 2>&1 && [ ! -x /usr/sbin/nginx ]; then wanted=nginx-light; fi
if ! command -v prometheus >/dev/null 2>&1; then wanted="$wanted prometheus"; fi
if ! command -v openssl >/dev/null 2>&1; then wanted="$wanted openssl"; fi
if [ -n "$wanted" ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # Debian's packages would start servers of their own at once: this says no to that.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    # shellcheck disable=SC2086 # several names
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null
fi
