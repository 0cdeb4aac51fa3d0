#!/bin/sh
# Moves LOG to LOG.1, LOG.1 to LOG.2 and so on, and keeps KEEP of them: sh rotate.sh LOG KEEP
set -eu
log=$1
keep=$2
n=1
while [ "$n" -lt "$keep" ]; do
    if [ -e "$log.$n" ]; then
        mv "$log.$n" "$log.$((n + 1))"
    fi
    n=$((n + 1))
done
mv "$log" "$log.1"
: > "$log"
