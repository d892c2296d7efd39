#!/usr/bin/env bash
# Stops the node that start.sh started on OPENSEARCH_PORT (9200): the process in the pid file, no other.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${FLEXO_RIG_STATE:-$(cd "$here/../../.." && pwd)/target/rig}
run="$state/opensearch-${OPENSEARCH_PORT:-9200}"

ours() {
  tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q flexo.rig.OpenSearchNode
}

if [ -f "$run.pid" ]; then
  pid=$(cat "$run.pid")
  if ours "$pid"; then
    kill "$pid"
    for _ in $(seq 100); do
      ours "$pid" || break
      sleep 0.2
    done
    if ours "$pid"; then kill -9 "$pid"; fi
  fi
  rm -f "$run.pid"
fi
rm -rf -- "$run.home"
