#!/usr/bin/env bash
# The command is what lies beside this action, so whoever pins the action by its commit has pinned the command with it;
# its packages are those of the lock file, and none of them may run anything. A second step of the same job finds them.
set -euo pipefail
cd "$GITHUB_ACTION_PATH/../.."
if [ -x node_modules/.bin/node ]; then exit 0; fi
npm ci --ignore-scripts --omit=dev --no-audit --no-fund --workspace @proviso/cli --include-workspace-root
