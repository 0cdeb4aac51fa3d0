#!/bin/sh
# Runs the build and keeps its log: sh ci.sh BUILD-COMMAND LOG
# The folder .ci-lock is there while it runs.
mkdir .ci-lock || { echo "ci.sh runs already" >&2; exit 75; }
sh -c "$1" 2>&1 | tee "$2"
echo "build ended with $?" >> "$2"
rmdir .ci-lock
