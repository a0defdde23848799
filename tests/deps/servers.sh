#!/usr/bin/env bash
# Installs the database servers that the tests start for themselves: PostgreSQL and MariaDB, from the system's own packages.
# Without the right to install them it says so loudly and goes on: their tests are then skipped, and fail where CI is set.
set -euo pipefail

missing=()
if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null; then
    missing+=(postgresql)
fi
if ! PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mariadbd >/dev/null; then
    missing+=(mariadb-server)
fi
# Certificates for their encrypted connections.
if ! command -v openssl >/dev/null; then
    missing+=(openssl)
fi
if [ ${#missing[@]} = 0 ]; then
    echo "database servers: ready"
    exit
fi

as=()
if [ "$(id -u)" != 0 ]; then
    as=(sudo -n)
fi
if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
    echo "missing: ${missing[*]}: apt-get install ${missing[*]}"
    "${as[@]}" apt-get update -q
    # In runlevel 1 no service is started: the tests start servers of their own.
    "${as[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qy "${missing[@]}"
    echo "database servers: ready"
    exit
fi
echo "!! MISSING: ${missing[*]}. Tests against real databases will be skipped. On Debian and Ubuntu: sudo apt-get install ${missing[*]}" >&2
