#!/bin/sh
# Makes Temporal's two databases and brings their schema to the version of the pinned server. Every line may run
# again: the tool skips what is there. Runs as a job before the server, with the schema folder of the same Go module.
set -eu

host=${TEMPORAL_POSTGRES_ADDRESS%:*}
port=${TEMPORAL_POSTGRES_ADDRESS##*:}
export SQL_PASSWORD="$TEMPORAL_POSTGRES_PASSWORD"

for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  schema=${pair##*:}
  tool() {
    temporal-sql-tool --plugin postgres12 --endpoint "$host" --port "$port" --user temporal --database "$database" "$@"
  }
  tool create-database
  # Refused once the versions table exists, which is the state after the first run.
  tool setup-schema --version 0.0 || true
  tool update-schema --schema-dir "$TEMPORAL_SCHEMA/$schema/versioned"
done
