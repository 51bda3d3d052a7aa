#!/usr/bin/env bash
# Installs edgetape for good on a Linux with systemd, from a checkout in which `npm ci` was run. Run again it upgrades, and
# changes nothing that is as it should be. Config, secrets and data are never replaced.
set -euo pipefail

usage() {
  cat <<'TEXT'
sudo deploy/install.sh [--units run|parts] [--start] [--dry-run] [--from DIR] [--root DIR]

  --units run    one unit for all parts (edgetape.service); the default
  --units parts  a unit for each (edgetape-record, -compact, -sync, -serve)
  --start        enable and start them; else that is left to you
  --dry-run      say what would be done, and change nothing
  --from DIR     the checkout; default: the one this script is in
  --root DIR     install below DIR: no user is made, and systemd is not spoken to
TEXT
}

units=run start=no dry=no root='' from=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
while [ $# -gt 0 ]; do
  case $1 in
    --units) units=${2:-}; shift 2 ;;
    --start) start=yes; shift ;;
    --dry-run) dry=yes; shift ;;
    --from) from=${2:-}; shift 2 ;;
    --root) root=${2:-}; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
case $units in
  run) names=(edgetape) ;;
  parts) names=(edgetape-record edgetape-compact edgetape-sync edgetape-serve) ;;
  *) usage >&2; exit 2 ;;
esac

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
# Does it, or says it.
run() {
  if [ "$dry" = yes ]; then printf 'would run: %s\n' "$*"; else "$@"; fi
}

# What is there?
[ -n "$root" ] || [ "$dry" = yes ] || [ "$(id -u)" = 0 ] || fail 'run it as root, or with --dry-run, or with --root DIR'
node=$(command -v node) || fail 'no node here: install Node 20 or later'
major=$("$node" -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || fail "found Node $major, wanted 20 or later"
command -v npm >/dev/null || fail 'no npm here: it comes with Node'
for program in flock rsync ssh; do
  command -v "$program" >/dev/null || say "note: no $program here; flock (util-linux) is needed, rsync and ssh for a NAS over ssh"
done
[ -f "$from/dist/cli/main.js" ] || fail "nothing is built in $from: run npm ci there first"

version=$("$node" -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).version' "$from/package.json")
checksum=$(cd "$from" && find dist package.json -type f ! -name .tsbuildinfo -print0 | sort -z | xargs -0 cat | sha256sum | cut -c1-12)
release=/opt/edgetape-releases/$version-$checksum

# The user, and what belongs to it.
if [ -z "$root" ] && ! id edgetape >/dev/null 2>&1; then
  run useradd --system --user-group --home-dir /var/lib/edgetape --shell /usr/sbin/nologin edgetape
fi
owner=()
[ -n "$root" ] || owner=(-o edgetape -g edgetape)
[ -d "$root/var/lib/edgetape" ] || run install -d "${owner[@]}" -m 0750 "$root/var/lib/edgetape"
[ -d "$root/etc/edgetape" ] || run install -d -m 0755 "$root/etc/edgetape"

# The program: each release in a folder of its own, so that what runs keeps its files until it is started anew.
if [ ! -d "$root$release" ]; then
  run mkdir -p "$root$release.new"
  if [ "$dry" = yes ]; then
    say "would install: version $version of $from as $release"
  else
    packed=$(mktemp -d)
    trap 'rm -rf "$packed"' EXIT
    (cd "$from" && npm pack --silent --ignore-scripts --pack-destination "$packed" >/dev/null)
    tar -xzf "$packed"/*.tgz -C "$root$release.new" --strip-components=1 --no-same-owner
    if [ -d "$from/node_modules" ]; then
      # A copy: what only the build needs is taken out of it again.
      mkdir -p "$root$release.new/node_modules"
      cp -R "$from/node_modules/." "$root$release.new/node_modules/"
      cp "$from/package-lock.json" "$root$release.new/"
      (cd "$root$release.new" && npm prune --silent --omit=dev --ignore-scripts --offline --no-audit --no-fund)
    fi
    chmod -R go+rX "$root$release.new"
    mv -T "$root$release.new" "$root$release"
  fi
fi
if [ "$(readlink "$root/opt/edgetape" || true)" != "$release" ]; then
  # A link takes the place of the one before in one step.
  run ln -sfn "$release" "$root/opt/edgetape.new"
  run mv -fT "$root/opt/edgetape.new" "$root/opt/edgetape"
  changed=yes
fi

# What is the same already is left alone. stdin: what the file is to hold.
put() {
  local path=$1 mode=$2 content
  content=$(cat)
  if [ -f "$path" ] && [ "$content" = "$(cat "$path")" ]; then return; fi
  if [ "$dry" = yes ]; then say "would write: $path"; return; fi
  mkdir -p "$(dirname "$path")"
  printf '%s\n' "$content" >"$path.new"
  chmod "$mode" "$path.new"
  mv -f "$path.new" "$path"
  changed=yes
}
put "$root/usr/local/bin/edgetape" 0755 <<SCRIPT
#!/bin/sh
exec $node /opt/edgetape/dist/cli/main.js "\$@"
SCRIPT
for name in edgetape edgetape-record edgetape-compact edgetape-sync edgetape-serve; do
  sed "s#/usr/bin/node#$node#" "$from/deploy/systemd/$name.service" | put "$root/etc/systemd/system/$name.service" 0644
done

# The person's own files: made once.
if [ ! -f "$root/etc/edgetape/secrets.env" ]; then
  put "$root/etc/edgetape/secrets.env" 0600 <<'SECRETS'
# For raw intervals only. Readable by root alone; systemd hands them on.
# DERIBIT_CLIENT_ID=
# DERIBIT_CLIENT_SECRET=
SECRETS
fi
if [ ! -f "$root/etc/edgetape/edgetape.yaml" ]; then
  run "$node" "$from/dist/cli/main.js" init --yes --config "$root/etc/edgetape/edgetape.yaml" --data-dir /var/lib/edgetape/data
fi

# systemd.
if [ -z "$root" ]; then
  run systemctl daemon-reload
  if [ "$start" = yes ]; then
    run systemctl enable "${names[@]}"
    for name in "${names[@]}"; do
      if [ "${changed:-no}" = no ] || ! systemctl is-active --quiet "$name"; then
        run systemctl start "$name"
      elif grep -q '^ExecReload=' "$from/deploy/systemd/$name.service"; then
        # The new recorder takes over from the one at work, which ends when all connections of the new one are live.
        run systemctl reload "$name"
      else
        run systemctl restart "$name"
      fi
    done
  fi
fi

say ''
if [ "$dry" = yes ]; then say "nothing was changed"
elif [ "${changed:-no}" = no ]; then say "edgetape $version: nothing to change"; else say "edgetape $version is installed in $release"; fi
[ "$start" = yes ] || cat <<TEXT
Next:
  editor /etc/edgetape/edgetape.yaml        edgetape init asks questions
  runuser -u edgetape -- edgetape doctor --config /etc/edgetape/edgetape.yaml
  systemctl enable --now ${names[*]}
TEXT
