#!/bin/sh
# Prints the invoice of an order: sh invoice.sh ORDER [DISCOUNT IN PERCENT]
set -eu
here=$(dirname "$0")
exec awk -F, -v percent="${2:-0}" -f "$here/lib/totals.awk" "$1"
