#!/bin/sh
# Runs once, when the postgres container makes its data folder: a role and nothing more for Temporal, which then makes
# its own databases. Proviso's own roles are made by its migrations, so that they are the same everywhere.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set password="$TEMPORAL_POSTGRES_PASSWORD" << 'SQL'
create role temporal login createdb nosuperuser password :'password';
create database proviso;
SQL
