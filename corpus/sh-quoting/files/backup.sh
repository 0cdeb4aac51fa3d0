#!/bin/sh
# Copies every .txt and .jpg below FROM to the folder TO, keeping the folders: sh backup.sh FROM TO
set -eu
from=$1
to=$2
mkdir -p $to
cd $from
for file in $(find . -name '*.txt' -o -name '*.jpg'); do
    mkdir -p $to/$(dirname $file)
    cp $file $to/$file
done
