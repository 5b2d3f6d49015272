#!/bin/sh
# What a task gets and gives, in any language:
#   $AZOLLA_ARGS    a file with its positional arguments, a JSON array:  ["/where/to/put/census.tar.gz"]
#   $AZOLLA_KWARGS  a file with its named arguments, a JSON object:      {"results": [...]}
#   $AZOLLA_RESULT  where it may put its result, as JSON
# Exit status 0 is success, 75 asks for another try later, anything else is a failure.
set -eu

archive=$(sed -e 's/^[[:space:]]*\[[[:space:]]*"//' -e 's/"[[:space:]]*\][[:space:]]*$//' "$AZOLLA_ARGS")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "packing $(wc -c <"$AZOLLA_KWARGS") bytes of results"
cp "$AZOLLA_KWARGS" "$work/census.json"
tar -C "$work" -czf "$archive.part" census.json
mv "$archive.part" "$archive" # a reader never meets half an archive
bytes=$(wc -c <"$archive")
echo "wrote $archive, $bytes bytes"

printf '{"archive": "%s", "bytes": %d}\n' "$archive" "$bytes" >"$AZOLLA_RESULT"
