#!/bin/sh
# Install what the tests of pages need: Chromium with its driver, axe-core, and onnxruntime-web for
# the program in docs/export.md. The packages go into the ignored folder tests/page/node_modules; no
# other file is touched.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
axe_version=4.10.2
onnxruntime_version=1.30.0

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    as_root=''
    if [ "$(id -u)" -ne 0 ]; then as_root='sudo'; fi
    $as_root apt-get update -q
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qy --no-install-recommends \
        chromium chromium-driver
fi
if [ ! -f "$here/node_modules/onnxruntime-web/package.json" ]; then
    npm install --silent --no-save --no-package-lock --ignore-scripts --prefix "$here" \
        "axe-core@$axe_version" "onnxruntime-web@$onnxruntime_version"
fi
