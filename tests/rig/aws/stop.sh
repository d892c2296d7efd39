#!/usr/bin/env bash
# Stops what start.sh started on AWS_RIG_PORT: the pid in its pid file and that pid's children, nothing else.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
port=${AWS_RIG_PORT:-4566}
state=${FLEXO_RIG_STATE:-$(cd "$here/../../.." && pwd)/target/rig}/aws-$port
pidfile=$state/rig.pid
say() { echo "aws-rig: $*" >&2; }
pid=$(cat "$pidfile" 2>/dev/null || true)
[ -n "$pid" ] || { say "not running on port $port"; exit 0; }
if ! { [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "aws/emulator.py"; }; then
  say "pid $pid is gone, or is no longer the rig"; rm -f "$pidfile"; exit 0
fi
tree() { local c; for c in $(cat "/proc/$1/task/"*/children 2>/dev/null); do tree "$c"; echo "$c"; done; }
children=$(tree "$pid")
kill -TERM "$pid" $children 2>/dev/null || true
for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
for p in $pid $children; do kill -KILL "$p" 2>/dev/null || true; done
rm -f "$pidfile"
say "stopped pid $pid"
