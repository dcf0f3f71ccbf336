#!/bin/sh
# Some tests want programs of npm: wscat, the TypeScript compiler and axe-core. They are put into a
# folder of their own beside temporary files; without npm, or without a registry, those tests are skipped.
set -eu
folder="${TMPDIR:-/tmp}/opportunity-node-$(id -u)"
if ! command -v npm >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm >/dev/null
fi
command -v npm >/dev/null 2>&1 || exit 0
if [ ! -x "$folder/node_modules/.bin/tsc" ] || [ ! -x "$folder/node_modules/.bin/wscat" ] ||
    [ ! -f "$folder/node_modules/axe-core/axe.min.js" ]; then
    mkdir -p "$folder"
    npm install --prefix "$folder" --silent --no-audit --no-fund --ignore-scripts \
        typescript@7.0.2 wscat@6 axe-core@4.10.3 >/dev/null 2>&1 ||
        echo "npm could not install typescript, wscat, axe-core"
fi
