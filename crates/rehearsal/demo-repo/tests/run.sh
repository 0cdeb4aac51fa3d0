#!/bin/sh
# Prints each order's invoice and compares it with what is expected. The discount is the last part of the name:
# books.15.expected is the invoice of books.order with 15 percent off. Exit code 1 if one differs.
set -u
cd "$(dirname "$0")/.." || exit 2
failed=0
for expected in tests/orders/*.expected; do
    name=$(basename "$expected" .expected)
    order=tests/orders/${name%.*}.order
    if sh invoice.sh "$order" "${name##*.}" | diff "$expected" - ; then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        failed=1
    fi
done
exit $failed
