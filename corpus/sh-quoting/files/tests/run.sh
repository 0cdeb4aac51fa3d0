#!/bin/sh
# Backs up a folder with the names that people give to files.
set -u
script=$(cd "$(dirname "$0")/.." && pwd)/backup.sh
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/my photos/summer 2024" && cd "$work/my photos" || exit 2
echo 1 > plain.txt
echo 2 > "summer 2024/at the sea.jpg"
echo 3 > "-n.txt"
echo 4 > 'star * and $HOME.txt'
echo 5 > ignored.raw
mkdir empty
cd "$work" || exit 2
sh "$script" "$work/my photos" "$work/the backup" || { echo "FAILED  backup.sh ends with $?"; exit 1; }
failed=0
for name in plain.txt "summer 2024/at the sea.jpg" -n.txt 'star * and $HOME.txt'; do
    if cmp -s "$work/my photos/$name" "$work/the backup/$name"; then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        failed=1
    fi
done
[ ! -e "$work/the backup/ignored.raw" ] || { echo "FAILED  ignored.raw was copied"; failed=1; }
exit $failed
