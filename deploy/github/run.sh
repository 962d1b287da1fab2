#!/usr/bin/env bash
# One command of Proviso as a step. What comes from outside is data in variables here and never a word of the script: a
# branch may be named like a command. The number that the command ends with is that of the step.
set -uo pipefail
root="$GITHUB_ACTION_PATH/../.."
told="$(mktemp "${RUNNER_TEMP:-/tmp}/proviso.XXXXXX")"
trap 'rm -f "$told"' EXIT

as_run=(--workspace="$INPUT_WORKSPACE" --audience="$INPUT_AUDIENCE" --json)
case "$INPUT_COMMAND" in
  promote)
    words=(promote "${as_run[@]}" --prototype="$INPUT_PROTOTYPE" --policy="$INPUT_POLICY"
      --repository="$INPUT_REPOSITORY" --commit="$INPUT_COMMIT")
    if [ -n "$INPUT_VERSION" ]; then words+=(--version="$INPUT_VERSION"); fi
    ;;
  wait)
    words=(wait "${as_run[@]}" --prototype="$INPUT_PROTOTYPE" --until="$INPUT_UNTIL"
      --timeout="$INPUT_TIMEOUT_SECONDS" -- "$INPUT_PROMOTION")
    ;;
  evidence)
    words=(evidence "${as_run[@]}" --kind="$INPUT_KIND" --commit="$INPUT_COMMIT" -- "$INPUT_PROTOTYPE" "$INPUT_FILE")
    ;;
  *)
    echo 'proviso: expected the command promote, wait or evidence' >&2
    exit 1
    ;;
esac

"$root/node_modules/.bin/node" "$root/apps/cli/src/main.ts" "${words[@]}" >"$told"
code=$?
"$root/node_modules/.bin/node" "$GITHUB_ACTION_PATH/tell.mjs" "$code" "$told" || exit 1
exit "$code"
