#!/usr/bin/env bash
# A PostgreSQL of its own on loopback, until its standard input is closed: postgres.sh PORT [SETTING=VALUE …]
#
# Prints one line when it is ready: the folder with its certificate (server.crt). User `owner`, password `s3cr3t`, database
# `city`. Ends with 3 if no PostgreSQL is installed.
set -euo pipefail
port=$1
shift

bin=$(find /usr/lib/postgresql /usr/pgsql-* /opt/homebrew/opt/postgresql* -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1 || true)
if [ -z "$bin" ]; then
    bin=$(dirname "$(command -v initdb || true)")
fi
if [ ! -x "$bin/initdb" ]; then
    echo "no PostgreSQL server is installed" >&2
    exit 3
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# PostgreSQL refuses to run as root.
as=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir"
    as=(runuser -u postgres --)
fi
printf 's3cr3t' > "$dir/password"
chmod 644 "$dir/password"
options=""
for setting in "$@"; do
    options="$options -c $setting"
done
cd "$dir"
{
    "${as[@]}" "$bin/initdb" --no-sync --pgdata="$dir/data" --username=owner --pwfile="$dir/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
    if command -v openssl >/dev/null; then
        openssl req -new -x509 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
            -addext basicConstraints=critical,CA:FALSE -keyout "$dir/server.key" -out "$dir/server.crt"
        if [ "$(id -u)" = 0 ]; then chown postgres "$dir/server.key"; fi
        chmod 600 "$dir/server.key"
        options="$options -c ssl=on -c ssl_cert_file=$dir/server.crt -c ssl_key_file=$dir/server.key"
    fi
    "${as[@]}" "$bin/pg_ctl" --wait --pgdata="$dir/data" --log="$dir/log" \
        --options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c fsync=off -c max_connections=200 $options" start
} >"$dir/out" 2>&1 || { cat "$dir/out" "$dir/log" >&2 2>/dev/null; exit 1; }
trap '"${as[@]}" "$bin/pg_ctl" --pgdata="$dir/data" --mode=immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
PGPASSWORD=s3cr3t "$bin/psql" -q -h 127.0.0.1 -p "$port" -U owner -d postgres -c 'CREATE DATABASE city' >&2
echo "$dir"
# Whoever started this holds the other end: it is closed when that ends, however it ends.
read -r _ || true
