#!/bin/sh
# Prints the command that starts the server; settings come from the environment.
port=${PORT-8080}
workers=${WORKERS-4}
host=${HOST-0.0.0.0}
[ "$workers" = 0 ] && workers=$(getconf _NPROCESSORS_ONLN)
echo "serve --host=$host --port=$port --workers=$workers${EXTRA+ $EXTRA}"
