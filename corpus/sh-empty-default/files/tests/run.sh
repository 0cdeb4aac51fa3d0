#!/bin/sh
set -u
cd "$(dirname "$0")/.." || exit 2
failed=0
expect() {
    wanted=$1; shift
    found=$(env -i PATH="$PATH" "$@" sh start.sh)
    if [ "$found" = "$wanted" ]; then echo "ok      $*"; else echo "FAILED  $*: $found"; failed=1; fi
}
expect "serve --host=0.0.0.0 --port=8080 --workers=4"
expect "serve --host=0.0.0.0 --port=8080 --workers=4" PORT= WORKERS= HOST= EXTRA=
expect "serve --host=0.0.0.0 --port=99 --workers=0 --quiet" PORT=99 WORKERS=0 EXTRA=--quiet
expect "serve --host=::1 --port=8080 --workers=2" HOST=::1 WORKERS=2
exit $failed
