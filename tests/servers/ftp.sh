#!/usr/bin/env bash
# An FTP server on loopback, until its standard input is closed: ftp.sh PORT. Ends with 3 if its packages are not installed.
exec bash "$(dirname "$0")/python.sh" ftp.py "$@"
