#!/usr/bin/env bash
# Starts one OpenSearch node on 127.0.0.1 and prints its URL. Safe to call again: a node that
# already answers on the port is left alone.
#
#   OPENSEARCH_PORT      port (9200)
#   OPENSEARCH_HEAP      Java heap (768m)
#   OPENSEARCH_JAVA_OPTS more JVM options (default: those that start fastest; empty for the JVM's own)
#   OPENSEARCH_HOME      folder for data and configuration; kept (default: one in FLEXO_RIG_STATE, removed by stop.sh)
#   OPENSEARCH_SETTINGS  more node settings, "key=value key=value"
#   OPENSEARCH_WAIT      seconds to wait for a usable cluster (180)
#   OPENSEARCH_SECURITY  1: with the security plugin: TLS and basic auth (admin:admin); the CA is $OPENSEARCH_HOME/config/ca.pem
#   OPENSEARCH_NAMES     the names in the node's certificate (DNS:localhost,IP:127.0.0.1)
#   FLEXO_RIG_CACHE      where the built node lies (target/rig-cache)
#   FLEXO_RIG_STATE      pid file, log and data of each port (target/rig)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$(cd "$here/../../.." && pwd)/target
cache=${FLEXO_RIG_CACHE:-$target/rig-cache}
state=${FLEXO_RIG_STATE:-$target/rig}
port=${OPENSEARCH_PORT:-9200}
heap=${OPENSEARCH_HEAP:-768m}
wait_s=${OPENSEARCH_WAIT:-180}
security=${OPENSEARCH_SECURITY:-0}
security_artifact=org.opensearch.plugin:opensearch-security:2.19.4.0:zip
url="http://127.0.0.1:$port"
run="$state/opensearch-$port"
names=${OPENSEARCH_NAMES:-DNS:localhost,IP:127.0.0.1}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

mkdir -p "$cache" "$state"

# One build for each state of the sources; the lock lets two callers start at once.
key=$(cat "$here/pom.xml" "$here"/src/main/java/flexo/rig/*.java | sha256sum | cut -c1-16)
build="$cache/opensearch-$key"
(
  flock 9
  if [ ! -f "$build/ready" ]; then
    rm -rf "$build"
    mvn -q -B -f "$here/pom.xml" -Drig.out="$build" compile \
      dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$build/lib" >&2
    touch "$build/ready"
  fi
  if [ "$security" = 1 ] && [ ! -f "$build/security.ready" ]; then
    rm -rf "$build/security" "$build/dependency-maven-plugin-markers"
    mvn -q -B -f "$here/pom.xml" -Drig.out="$build" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack \
      -Dartifact="$security_artifact" -DoutputDirectory="$build/security" >&2
    # The plugin brings jars that the node has too: one of each is enough on a flat class path.
    for jar in "$build"/security/*.jar; do
      name=$(basename "$jar" | sed -E 's/-[0-9][0-9A-Za-z.-]*\.jar$//')
      if compgen -G "$build/lib/$name-[0-9]*.jar" >/dev/null; then rm "$jar"; fi
    done
    touch "$build/security.ready"
  fi
) 9>"$cache/opensearch.lock"

# A CA and two certificates: one for the node, one for the plugin's administrator.
certificates() (
  cd "$1"
  [ -f ca.pem ] && return
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=flexo-rig-ca -keyout ca.key -out ca.pem 2>/dev/null
  for name in node admin; do
    openssl req -newkey rsa:2048 -nodes -subj "/O=flexo-rig/CN=$name" -keyout "$name.key" -out "$name.csr" 2>/dev/null
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out "$name.pem" \
      -extfile <(echo "subjectAltName=$names") 2>/dev/null
  done
  rm -f ./*.csr
  chmod 600 ./*.key
)

usable() {
  curl -fs "${curl_auth[@]}" -m 5 "$url/_cluster/health?wait_for_status=yellow&timeout=2s" >/dev/null 2>&1
}
running() {
  [ -f "$run.pid" ] && tr '\0' ' ' <"/proc/$(cat "$run.pid")/cmdline" 2>/dev/null | grep -q flexo.rig.OpenSearchNode
}

curl_auth=()
if [ "$security" = 1 ]; then
  url="https://127.0.0.1:$port"
  curl_auth=(--insecure --user admin:admin)
fi

if ! running; then
  if curl -sk -m 2 "$url" >/dev/null 2>&1; then
    echo "port $port is taken by something this script did not start" >&2
    exit 1
  fi
  home=${OPENSEARCH_HOME:-$run.home}
  rm -rf "$run.home"
  mkdir -p "$home/config"
  plugins=()
  jars=
  if [ "$security" = 1 ]; then
    certificates "$home/config"
    [ -d "$home/config/opensearch-security" ] || cp -r "$build/security/config" "$home/config/opensearch-security"
    jars=":$build/security/*"
    plugins=(-Drig.plugins=org.opensearch.security.OpenSearchSecurityPlugin)
    OPENSEARCH_SETTINGS="${OPENSEARCH_SETTINGS:-}
      plugins.security.allow_default_init_securityindex=true
      plugins.security.authcz.admin_dn.0=CN=admin,O=flexo-rig
      plugins.security.nodes_dn.0=CN=node,O=flexo-rig
      plugins.security.restapi.roles_enabled.0=all_access
      plugins.security.ssl.transport.enforce_hostname_verification=false
      plugins.security.ssl.http.enabled=true"
    for layer in transport http; do
      OPENSEARCH_SETTINGS+="
        plugins.security.ssl.$layer.pemcert_filepath=node.pem
        plugins.security.ssl.$layer.pemkey_filepath=node.key
        plugins.security.ssl.$layer.pemtrustedcas_filepath=ca.pem"
    done
  fi
  # shellcheck disable=SC2086  # options and settings are words on purpose
  nohup "$java" -Xms"$heap" -Xmx"$heap" ${OPENSEARCH_JAVA_OPTS--XX:TieredStopAtLevel=1 -XX:+UseSerialGC} \
    -Djava.io.tmpdir="$home" "${plugins[@]}" -cp "$build/classes:$build/lib/*$jars" \
    flexo.rig.OpenSearchNode "$home" http.port="$port" ${OPENSEARCH_SETTINGS:-} \
    >"$run.log" 2>&1 9>&- </dev/null &
  echo $! >"$run.pid"
fi

deadline=$((SECONDS + wait_s))
until usable; do
  if ! running; then
    echo "the node ended; the last lines of $run.log:" >&2
    tail -n 20 "$run.log" >&2
    exit 1
  fi
  if [ "$SECONDS" -ge "$deadline" ]; then
    echo "no usable cluster after $wait_s s; see $run.log" >&2
    exit 1
  fi
  sleep 0.3
done
echo "$url"
