#!/usr/bin/env bash
# A MariaDB (or MySQL) of its own on loopback, until its standard input is closed: mariadb.sh PORT [--OPTION …]
#
# Prints one line when it is ready: its folder, in which `server.crt` is its certificate. User `owner`, password `s3cr3t`,
# database `city`. Ends with 3 if no MariaDB is installed.
set -euo pipefail
port=$1
shift

server=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mariadbd || true)
if [ -z "$server" ] || ! command -v mariadb-install-db >/dev/null; then
    echo "no MariaDB server is installed" >&2
    exit 3
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
user=$(id -un)
tls=()
if command -v openssl >/dev/null; then
    openssl req -new -x509 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -addext basicConstraints=critical,CA:FALSE -keyout "$dir/server.key" -out "$dir/server.crt" 2>/dev/null
    tls=(--ssl-cert="$dir/server.crt" --ssl-key="$dir/server.key")
fi
if [ "$user" = root ]; then
    user=mysql
    chown -R mysql "$dir"
fi
mariadb-install-db --no-defaults --user="$user" --datadir="$dir/data" --skip-test-db \
    --auth-root-authentication-method=normal >"$dir/out" 2>&1 || { cat "$dir/out" >&2; exit 1; }
"$server" --no-defaults --user="$user" --datadir="$dir/data" --port="$port" --bind-address=127.0.0.1 --socket="$dir/socket" \
    --pid-file="$dir/pid" --innodb-flush-log-at-trx-commit=0 --character-set-server=utf8mb4 "${tls[@]}" "$@" \
    >"$dir/log" 2>&1 </dev/null &
pid=$!
trap 'kill -9 "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
client=(--no-defaults --user=root --socket="$dir/socket")
mariadb-admin "${client[@]}" --wait=60 ping >"$dir/out" 2>&1 || { cat "$dir/out" "$dir/log" >&2; exit 1; }
mariadb "${client[@]}" --execute="CREATE DATABASE city; CREATE USER owner@'127.0.0.1' IDENTIFIED BY 's3cr3t'; \
    GRANT ALL ON *.* TO owner@'127.0.0.1' WITH GRANT OPTION; CREATE USER owner@localhost IDENTIFIED BY 's3cr3t'; \
    GRANT ALL ON *.* TO owner@localhost WITH GRANT OPTION" >&2
echo "$dir"
# Whoever started this holds the other end: it is closed when that ends, however it ends.
read -r _ || true
