#!/bin/sh
# A check says what is missing and leaves with a status other than 0; then the task doesn't start.
for tool in tar gzip sed mktemp; do
  command -v "$tool" >/dev/null || { echo "the archive needs $tool, which is not installed" >&2; exit 1; }
done
