#!/usr/bin/env bash
# An S3 server on loopback, until its standard input is closed: s3.sh PORT. Ends with 3 if its packages are not installed.
exec bash "$(dirname "$0")/python.sh" s3.py "$@"
