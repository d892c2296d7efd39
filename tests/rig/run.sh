#!/usr/bin/env bash
# Starts the emulator and one node, says so, and stops both when its standard input ends: whoever started this and dies, however
# it dies, leaves nothing running.  By hand: bash tests/rig/run.sh, and Ctrl-D.
#
# Prints `ready`, or `failed: …` and why. Takes the variables of aws/start.sh and opensearch/start.sh.
# The logs of the last run stay in FLEXO_RIG_STATE/../last.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export FLEXO_RIG_STATE=${FLEXO_RIG_STATE:-$(cd "$here/../.." && pwd)/target/rig/$$}
trap '' INT HUP   # Ctrl-C goes to the whole group: the one that started this ends, and then its input does

mkdir -p "$FLEXO_RIG_STATE"
bash "$here/opensearch/start.sh" >"$FLEXO_RIG_STATE/node.out" 2>&1 </dev/null &
node=$!
bash "$here/aws/start.sh" >"$FLEXO_RIG_STATE/aws.env" 2>"$FLEXO_RIG_STATE/aws.out" </dev/null
aws_status=$?
wait "$node"
node_status=$?

# Whoever started this may be gone already, with nobody to read what follows: its input has ended then, and that is what counts.
trap '' PIPE
why() { tail -n 3 "$1" | tr '\n' ' '; }
if [ "$aws_status" != 0 ]; then
  echo "failed: the emulator did not start: $(why "$FLEXO_RIG_STATE/aws.out")"
elif [ "$node_status" != 0 ]; then
  echo "failed: the node did not start: $(why "$FLEXO_RIG_STATE/node.out")"
else
  echo ready 2>/dev/null
fi
exec >&-
cat >/dev/null

bash "$here/aws/stop.sh" 2>/dev/null &
bash "$here/opensearch/stop.sh" 2>/dev/null
wait
last=$(dirname "$FLEXO_RIG_STATE")/last
rm -rf "$last"
mkdir -p "$last"
cp "$FLEXO_RIG_STATE"/*.log "$FLEXO_RIG_STATE"/*.out "$FLEXO_RIG_STATE"/aws-*/rig.log "$last" 2>/dev/null
rm -rf "$FLEXO_RIG_STATE"
