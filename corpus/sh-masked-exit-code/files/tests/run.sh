    #!/bin/sh
    set -u
    script=$(cd "$(dirname "$0")/.." && pwd)/ci.sh
    work=$(mktemp -d) || exit 2
    trap 'rm -rf "$work"' EXIT
    cd "$work" || exit 2
    failed=0
    expect() {
        if [ "$2" = "$3" ]; then echo "ok      $1"; else echo "FAILED  $1: $2 instead of $3"; failed=1; fi
    }
    sh "$script" 'echo fine' log > shown; expect "a good build" $? 0
    expect "its output is shown" "$(cat shown)" fine
    sh "$script" 'echo broken; exit 3' log > shown; expect "a failing build" $? 3
    expect "the log" "$(cat log)" "broken
build ended with 3"
    sh "$script" 'kill -9 $$' log > shown 2>&1; expect "a killed build" $? 137
    expect "the lock is gone" "$(ls -d .ci-lock 2>/dev/null)" ""
    mkdir .ci-lock; sh "$script" true log 2> shown; expect "a second one" $? 75
    exit $failed
