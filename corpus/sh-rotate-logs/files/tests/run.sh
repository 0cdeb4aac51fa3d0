#!/bin/sh
set -u
script=$(cd "$(dirname "$0")/.." && pwd)/rotate.sh
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
failed=0
expect() {
    if [ "$2" = "$3" ]; then echo "ok      $1"; else echo "FAILED  $1: '$2' instead of '$3'"; failed=1; fi
}
for day in monday tuesday wednesday thursday friday; do
    echo $day > app.log
    sh "$script" app.log 3 || { echo "FAILED  $day: exit code $?"; exit 1; }
done
expect "newest" "$(cat app.log.1)" friday
expect "middle" "$(cat app.log.2 2>/dev/null)" thursday
expect "oldest" "$(cat app.log.3 2>/dev/null)" wednesday
expect "no more" "$(ls app.log.4 2>/dev/null)" ""
expect "the log is empty" "$(cat app.log)" ""
rm app.log app.log.2
sh "$script" app.log 3; expect "without a log" $? 0
expect "nothing moves" "$(cat app.log.1)" friday
exit $failed
