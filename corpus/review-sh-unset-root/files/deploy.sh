#!/bin/sh
# Unpacks a release and makes it the current one: sh deploy.sh RELEASE.tar.gz
set -eu
root=${DEPLOY_ROOT:?where releases live}
release=$root/releases/$(basename "$1" .tar.gz)
mkdir -p "$release"
tar -xzf "$1" -C "$release"
ln -sfn "$release" "$root/current"
