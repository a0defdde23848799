#!/usr/bin/env bash
# An S3 server that looks at keys, on loopback, until its standard input is closed: s3_keys.sh PORT. Ends with 3 if its packages
# are not installed.
exec bash "$(dirname "$0")/python.sh" s3.py "$@" keys
