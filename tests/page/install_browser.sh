#!/bin/sh
# Install what the tests of the lesson page need: Chromium with its driver, and axe-core.
# axe-core goes into the ignored folder tests/page/node_modules; no other file is touched.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
axe_version=4.10.2

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    as_root=''
    if [ "$(id -u)" -ne 0 ]; then as_root='sudo'; fi
    $as_root apt-get update -q
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qy --no-install-recommends \
        chromium chromium-driver
fi
if [ ! -f "$here/node_modules/axe-core/axe.min.js" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    (cd "$folder" && npm pack --silent "axe-core@$axe_version" && tar -xzf axe-core-*.tgz)
    mkdir -p "$here/node_modules/axe-core"
    cp "$folder/package/axe.min.js" "$folder/package/LICENSE" "$here/node_modules/axe-core/"
fi
