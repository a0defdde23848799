#!/usr/bin/env bash
# A WebDAV server on loopback, until its standard input is closed: webdav.sh PORT. Ends with 3 if its packages are not installed.
exec bash "$(dirname "$0")/python.sh" webdav.py "$@"
