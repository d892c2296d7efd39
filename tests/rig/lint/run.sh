#!/usr/bin/env bash
# cfn-lint, pinned, in a venv of its own:  bash tests/rig/lint/run.sh TEMPLATE…   (offline once installed)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLEXO_RIG_CACHE:-$(cd "$here/../../.." && pwd)/target/rig-cache}
venv=$cache/lint-$(sha256sum "$here/requirements.txt" | cut -c1-12)
mkdir -p "$cache"
(
  flock 9
  if [ ! -f "$venv/.complete" ]; then
    rm -rf "$venv"
    "${AWS_RIG_PYTHON:-python3}" -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    touch "$venv/.complete"
  fi
) 9>"$cache/lint.lock"
exec "$venv/bin/cfn-lint" "$@"
