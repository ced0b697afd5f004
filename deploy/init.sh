#!/bin/sh
# Writes what docker-compose.yml needs and git does not hold: secrets/ and .env. Leaves alone what is there already.
set -eu
cd "$(dirname "$0")/.."

draw() { # $1: how many bytes, as letters and digits that need no quoting in a URL
    od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

keep() { # $1: name, $2: value of a secret that is not there yet
    [ -e "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
}

# Containers read their secrets as a user of their own, so the files are readable; the folder is not.
umask 022
mkdir -p secrets
chmod 700 secrets

keep db_password "$(draw 24)"
keep redis_password "$(draw 24)"
keep secret_key "$(draw 40)"
keep metrics_token "$(draw 24)"
keep database_url "postgres://atelier:$(cat secrets/db_password)@db:5432/atelier"
keep redis_url "redis://:$(cat secrets/redis_password)@broker:6379/0"
keep email_url ""
keep aws_secret_access_key ""

if [ ! -e .env ]; then
    cat >.env <<'END'
# Which workers: cpu, or gpu where the host has the NVIDIA container toolkit.
COMPOSE_PROFILES=cpu
# The name people type, and with its scheme and port the address they come from.
ALLOWED_HOSTS=localhost
SITE_URL=http://localhost:8080
CSRF_TRUSTED_ORIGINS=http://localhost:8080
PUBLIC_PORT=8080
# 1 where people reach the studio by https.
HTTPS=
ADMIN_EMAIL=admin@atelier.local
END
fi
echo "secrets/ and .env are complete. Look through .env, then: docker compose up --detach"
