#!/usr/bin/env bash
# Starts the local AWS and prints the exports that a shell needs:  eval "$(bash tests/rig/aws/start.sh)"
# Idempotent: a healthy one on the same port is left as it is, and only the exports are printed.
#   AWS_RIG_PORT        4566                     the port on 127.0.0.1
#   AWS_RIG_PYTHON      python3                  3.11 or newer
#   AWS_RIG_AUTH        false                    true: signatures checked and IAM enforced
#   AWS_RIG_OPENSEARCH  (empty)                  host:port that every OpenSearch domain answers as its endpoint (`:443` is left out)
#   AWS_RIG_CA          (empty)                  a file with the certificates that functions trust
#   FLEXO_RIG_CACHE     target/rig-cache         what is installed: the venv
#   FLEXO_RIG_STATE     target/rig               log, pid file and state of each port
# Words for people go to stderr; stdout is for eval.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$(cd "$here/../../.." && pwd)/target
port=${AWS_RIG_PORT:-4566}
cache=${FLEXO_RIG_CACHE:-$target/rig-cache}
state=${FLEXO_RIG_STATE:-$target/rig}/aws-$port
python=${AWS_RIG_PYTHON:-python3}
url=http://127.0.0.1:$port
venv=$cache/aws-$(sha256sum "$here/requirements.txt" | cut -c1-12)
pidfile=$state/rig.pid
log=$state/rig.log
say() { echo "aws-rig: $*" >&2; }
# Is that pid ours? A number is used again after a reboot, so look at the command line too.
ours() { [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -q "aws/emulator.py"; }
healthy() { curl -fsS -o /dev/null --noproxy '*' --max-time 2 "$url/_ministack/health" 2>/dev/null; }

mkdir -p "$cache"
exec 9>"$cache/aws.lock"; flock 9        # two starts at once: the second waits, then finds the first one's work
if [ ! -f "$venv/.complete" ]; then
  say "making $venv"
  rm -rf "$venv"
  "$python" -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
  touch "$venv/.complete"
fi

pid=$(cat "$pidfile" 2>/dev/null || true)
if [ -n "$pid" ] && ours "$pid" && healthy; then
  say "already running, pid $pid"
else
  if [ -n "$pid" ] && ours "$pid"; then say "pid $pid does not answer: run stop.sh"; exit 1; fi
  if healthy || (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    say "port $port belongs to another process: choose one with AWS_RIG_PORT"; exit 1
  fi
  rm -rf "$state"; mkdir -p "$state/tmp"
  # The emulator hands its own environment on to the functions, so it gets a clean one, and what they need is put into it:
  # SSL_CERT_FILE is how they come to trust the tests' CA.
  # No `setsid` of a shell around it: the pid below is the emulator itself.
  env -i PATH="$venv/bin:/usr/local/bin:/usr/bin:/bin" HOME="$state" LANG=C.UTF-8 TZ=UTC TMPDIR="$state/tmp" \
    PYTHONDONTWRITEBYTECODE=1 \
    ${AWS_RIG_CA:+SSL_CERT_FILE="$AWS_RIG_CA"} \
    BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" MINISTACK_HOST=localhost AWS_ENDPOINT_URL="$url" \
    LAMBDA_EXECUTOR=local AUTH="${AWS_RIG_AUTH:-false}" \
    STATE_DIR="$state/state" S3_DATA_DIR="$state/s3" PERSIST_STATE=0 S3_PERSIST=0 \
    CLOUDTRAIL_RECORDING=0 SFTP_ENABLED=0 IOT_MTLS_ENABLED=0 LOG_LEVEL="${AWS_RIG_LOG_LEVEL:-INFO}" \
    LAMBDA_ASYNC_RETRY_BASE_SECONDS="${AWS_RIG_ASYNC_RETRY_SECONDS:-1}" \
    MINISTACK_OPENSEARCH_ENDPOINT="${AWS_RIG_OPENSEARCH:-}" \
    setsid "$venv/bin/python" "$here/emulator.py" >"$log" 2>&1 9>&- </dev/null &
  pid=$!
  echo "$pid" >"$pidfile"
  for _ in $(seq 300); do
    healthy && break
    kill -0 "$pid" 2>/dev/null || { say "died at the start:"; tail -20 "$log" >&2; rm -f "$pidfile"; exit 1; }
    sleep 0.1
  done
  healthy || { say "no answer after 30 s, see $log"; exit 1; }
  say "running, pid $pid, log $log"
fi

# `aws` on the PATH is a wrapper that always says --endpoint-url: awscli ignores AWS_ENDPOINT_URL for `aws sqs`,
# and this way no command can reach for the real AWS by mistake.
mkdir -p "$state/bin"
cat >"$state/bin/aws" <<WRAPPER
#!/bin/sh
exec "$venv/bin/aws" --endpoint-url "$url" "\$@"
WRAPPER
chmod +x "$state/bin/aws"

cat <<EXPORTS
export AWS_RIG_PORT='$port'
export AWS_RIG_LOG='$log'
export AWS_ENDPOINT_URL='$url'
export AWS_ACCESS_KEY_ID='test'
export AWS_SECRET_ACCESS_KEY='test'
export AWS_REGION='us-east-1'
export AWS_DEFAULT_REGION='us-east-1'
export AWS_EC2_METADATA_DISABLED='true'
export AWS_CONFIG_FILE='/dev/null'
export AWS_SHARED_CREDENTIALS_FILE='/dev/null'
export AWS_PAGER=''
export AWS_MAX_ATTEMPTS='2'
export NO_PROXY='127.0.0.1,localhost'
export PATH='$state/bin:$venv/bin':"\$PATH"
unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_CA_BUNDLE
EXPORTS
