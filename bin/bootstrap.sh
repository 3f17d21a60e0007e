#!/usr/bin/env bash
# Installs a release, or sets up a checkout. All code is in functions that the last line calls, and in braces that end
# on the last line. The shell reads all of it before it runs anything, so a truncated copy does nothing.
#
# In a release, on a bare Debian or Ubuntu machine (`npm run release` has inserted the URL and the key of the release):
#   curl -fsSL URL/bootstrap.sh | sudo bash
#   curl -fsSL URL/bootstrap.sh | sudo bash -s -- --help
#
# In a checkout, installs missing software and runs the demo or the tests (see checkout.sh):
#   ./bin/bootstrap.sh demo|test|tools
{
set -euo pipefail

RELEASE_URL=''
RELEASE_VERSION=''
RELEASE_KEY=''
RELEASE_MB=''

PREFIX=/opt/mesosup
# The record of this script's changes, one line each: `package NAME`, `directory PATH`, `link PATH`, `cluster`.
RECORD=$PREFIX/.bootstrap
# Contains the name of this machine's cluster.
CLUSTER=/var/lib/mesosup/cluster
COMMAND=/usr/local/bin/mesosup

say() { printf 'bootstrap: %s\n' "$*" >&2; }
die() { printf 'bootstrap: error: %s\n' "$*" >&2; exit 1; }
usage_error() { printf 'bootstrap: %s; see --help\n' "$1" >&2; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }

need_root() {
  [ "$(id -u)" = 0 ] || die "$1 needs root. Run it again as: $AGAIN"
}

apt_install() {
  need_root "installing $*"
  have apt-get || die "apt-get is not installed, and mesosup supports Debian and Ubuntu only. Install $* by hand and run this script again."
  say "installing $* with apt (waits up to 10 minutes while another process holds apt's lock)"
  apt_lists
  apt_get_install "$@" || { apt_update && apt_get_install "$@"; } || { tail -n 20 "$LOG" >&2; die "apt-get install $* failed; the end of its output is above"; }
}

apt_get_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=600 "$@" >"$LOG" 2>&1 </dev/null
}

# Loads apt's package lists, which a fresh machine lacks. The demo also needs them to download Redis.
apt_lists() {
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
    need_root "reading apt's package lists"
    apt_update || { tail -n 20 "$LOG" >&2; die "apt-get update failed; the end of its output is above"; }
  fi
}

apt_update() { apt-get update -qq -o DPkg::Lock::Timeout=600 >"$LOG" 2>&1 </dev/null; }

release_usage() {
  cat <<EOF
Usage: curl -fsSL $RELEASE_URL/bootstrap.sh | sudo bash [-s -- OPTIONS]

Installs mesosup $RELEASE_VERSION in $PREFIX after a check of its signature, then Mesos, Docker and a scheduler on this
machine with \`mesosup install --local --start\`. All other arguments are passed to that command: --file cluster.yaml, ...

  --cli-only     install mesosup only, for a cluster on other machines
  --version V    install another version
  --mirror URL   download from URL, like MESOSUP_MIRROR=URL; the files must have the same signature
  --dry-run      show the changes without making them
  --uninstall    remove the cluster with its data from this machine, then mesosup and the packages installed with it
  --yes          do not ask for confirmation; --uninstall needs this without a terminal
  --help         show this help

Proxies are read from http_proxy, https_proxy and no_proxy; use \`| sudo -E bash\` to pass them through sudo.
EOF
}

release() {
  VERSION=$RELEASE_VERSION MIRROR=${MESOSUP_MIRROR:-$RELEASE_URL} YES='' DRY='' PASSED=()
  AGAIN="curl -fsSL $RELEASE_URL/bootstrap.sh | sudo bash"
  local cli_only='' uninstall=''
  while [ $# -gt 0 ]; do
    case "$1" in
      --cli-only) cli_only=yes ;;
      --dry-run) DRY=yes ;;
      --uninstall) uninstall=yes ;;
      -y | --yes) YES=yes ;;
      --version | --mirror) [ $# -gt 1 ] || usage_error "$1 needs a value"; set_option "$1" "$2"; shift ;;
      --version=* | --mirror=*) set_option "${1%%=*}" "${1#*=}" ;;
      -h | --help) release_usage; exit 0 ;;
      demo | test) usage_error "the word $1 works in a checkout of mesosup only, and this script is from a release" ;;
      *) PASSED+=("$1") ;;
    esac
    shift
  done
  [ -z "$cli_only" ] || [ ${#PASSED[@]} = 0 ] || usage_error "--cli-only can't be combined with other arguments: ${PASSED[*]}"
  [ -n "$DRY" ] || need_root "mesosup"
  umask 022
  if [ -n "$uninstall" ]; then uninstall_all; return; fi
  detect
  HERE=$PREFIX/$VERSION
  if [ -e "$HERE/package.json" ]; then say "mesosup $VERSION is already installed in $HERE"; else get_program; fi
  link_program
  if [ -z "$cli_only" ]; then install_here
  elif [ -z "$DRY" ]; then echo "mesosup $VERSION is installed. Next: mesosup install --hosts h1,h2,h3 --start"; fi
}

set_option() {
  case "$1" in
    --version) VERSION=$2 ;;
    --mirror) MIRROR=$2 ;;
  esac
  [[ $VERSION =~ ^[0-9][0-9A-Za-z.~-]*$ ]] || usage_error "--version must look like $RELEASE_VERSION, not $VERSION"
}

has_terminal() { { : </dev/tty; } 2>/dev/null; }

detect() {
  [ "$(uname -s)" = Linux ] || die "mesosup runs on Debian and Ubuntu, not on $(uname -s)"
  case "$(uname -m)" in
    x86_64) ARCH=x64 ;;
    aarch64 | arm64) ARCH=arm64 ;;
    *) die "no Node runtime for $(uname -m): mesosup runs on x86_64 and aarch64" ;;
  esac
  local libc
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || die "this system has no glibc; mesosup runs on Debian and Ubuntu"
  libc=${libc#glibc }
  printf '2.28\n%s\n' "$libc" | sort -CV ||
    die "the runtime needs glibc 2.28 or later, and this system has $libc; Debian 10 and Ubuntu 20.04 are the oldest with it"
  MIRROR=${MIRROR%/}
  [[ $MIRROR =~ ^https?://[^[:space:]]+$ ]] || usage_error "--mirror must be an http(s) URL, not $MIRROR"
  if [ -e "$COMMAND" ] || [ -L "$COMMAND" ]; then
    [[ $(readlink "$COMMAND") = "$PREFIX"/* ]] || die "$COMMAND already exists and was not installed by this script. Move it away and run this script again."
  fi
}

free_kb() { df -Pk "$1" | awk 'NR == 2 { print $4 }'; }

# get_program: downloads, verifies and unpacks the release completely, or changes nothing.
get_program() {
  local url=$MIRROR/$VERSION name=mesosup-$VERSION-linux-$ARCH.tar.gz missing=() place=$PREFIX free sum found
  have curl || have wget || missing+=(curl ca-certificates)
  have ssh-keygen || missing+=(openssh-client)
  has_library libatomic.so.1 || missing+=(libatomic1)
  has_library libstdc++.so.6 || missing+=(libstdc++6)
  until [ -d "$place" ]; do place=$(dirname "$place"); done
  free=$(($(free_kb "$place") * 1024 / 1000000))
  [ "$free" -ge "$RELEASE_MB" ] || die "$place has $free MB free, and $RELEASE_MB MB are needed. Nothing was installed. Free some space there and run this script again."
  if [ -n "$DRY" ]; then
    [ ${#missing[@]} = 0 ] || echo "would install with apt: ${missing[*]}"
    printf 'would download %s\n' "$url/SHA256SUMS" "$url/SHA256SUMS.sig" "$url/$name"
    echo "would check the signature with the key $RELEASE_KEY, and the checksum"
    echo "would unpack into $HERE ($free MB are free, $RELEASE_MB MB are needed)"
    return
  fi
  mkdir -p "$PREFIX"
  exec 9<"$PREFIX"
  flock -n 9 || die "this script is already running on this machine"
  HALF=yes
  STAGE=$(mktemp -d "$PREFIX/.new.XXXXXX")
  if [ ${#missing[@]} -gt 0 ]; then
    BEFORE=$(packages)
    apt_install "${missing[@]}"
  fi
  [[ $(ssh-keygen -Y 2>&1) != *@(unknown|illegal)\ option* ]] || stop "this system's ssh-keygen can't check signatures: OpenSSH 8.1 or later is needed"
  say "downloading mesosup $VERSION for $ARCH from $url"
  fetch "$url/SHA256SUMS"
  fetch "$url/SHA256SUMS.sig"
  echo "mesosup $RELEASE_KEY" >"$STAGE/signers"
  ssh-keygen -Y verify -f "$STAGE/signers" -I mesosup -n mesosup -s "$STAGE/SHA256SUMS.sig" <"$STAGE/SHA256SUMS" >"$LOG" 2>&1 ||
    stop "the signature of $url/SHA256SUMS is wrong: it was not made with the key of mesosup's releases" "Output of ssh-keygen: $(tail -n 1 "$LOG")"
  sum=$(awk -v name="$name" '$2 == name { print $1 }' "$STAGE/SHA256SUMS")
  [ -n "$sum" ] || stop "$url/SHA256SUMS has no $name" "Check that this version exists."
  fetch "$url/$name"
  found=$(sha256sum <"$STAGE/$name")
  [ "${found%% *}" = "$sum" ] || stop "$url/$name has the SHA-256 ${found%% *}, but the signed SHA-256 is $sum"
  mkdir "$STAGE/tree"
  tar -xz --no-same-owner -f "$STAGE/$name" -C "$STAGE/tree" >"$LOG" 2>&1 || stop "$name could not be unpacked" "Output of tar: $(head -n 1 "$LOG")"
  "$STAGE/tree/bin/node" --version >"$LOG" 2>&1 || stop "the Node runtime does not start in $PREFIX" "Its output: $(head -n 1 "$LOG")"
  printf '{"sha256":"%s","bytes":%d}\n' "$sum" "$(stat -c %s "$STAGE/$name")" >"$STAGE/tree/archive.json"
  {
    cat "$RECORD" 2>/dev/null || true
    added | sed 's/^/package /'
  } >"$STAGE/record"
  mv -T "$STAGE/tree" "$HERE"
  mv -T "$STAGE/record" "$RECORD"
  HALF=''
  rm -rf "$STAGE"
  exec 9<&-
}

# added: prints packages that are installed now and are not in BEFORE.
added() { [ -z "$BEFORE" ] || packages | grep -vxF "$BEFORE" || true; }

packages() { dpkg-query -W -f '${db:Status-Abbrev}${binary:Package}\n' | sed -n 's/^ii *//p'; }

has_library() { [[ $(ldconfig -p 2>/dev/null) == *"$1 "* ]]; }

# fetch URL: downloads into STAGE.
fetch() {
  local file=$STAGE/${1##*/} how=(-sS)
  if have curl; then
    [ ! -t 2 ] || how=('-#')
    curl -fL "${how[@]}" --proto '=http,https' --retry 2 --connect-timeout 15 -o "$file" "$1" </dev/null && return
  else
    if [ -t 2 ]; then how=(-q --show-progress); else how=(-nv); fi
    wget "${how[@]}" --tries=3 --timeout=15 -O "$file" "$1" </dev/null && return
  fi
  stop "$1 could not be downloaded; the reason is above" "Check the network and its proxies (http_proxy, https_proxy; sudo -E), or use a mirror with --mirror URL."
}

# stop MESSAGE [DETAILS]
stop() {
  if [ "$(free_kb "$PREFIX")" -le 1024 ] || [ "$(df -Pi "$PREFIX" | awk 'NR == 2 { print $4 }')" = 0 ]; then
    set -- "the disk of $PREFIX is full: $1" "${2-}"
  fi
  die "$1. Nothing was installed.${2:+ $2}"
}

undo_program() {
  [ -z "$STAGE" ] || rm -rf "$STAGE"
  rmdir "$PREFIX" 2>/dev/null || true
  local names
  mapfile -t names < <(added)
  purge_packages "${names[@]}"
}

purge_packages() {
  [ $# -gt 0 ] || return 0
  dpkg --purge "$@" >/dev/null 2>&1 || say "some of these packages stay, because other packages need them: $*"
}

# Links `mesosup` into PATH, its man page and completions, and `current`. On a cluster, the plan sets `current` instead.
link_program() {
  local file
  [ -e "$CLUSTER" ] || link_to "$VERSION" "$PREFIX/current"
  link_to "$HERE/bin/mesosup" "$COMMAND"
  [ -d "$HERE/share" ] || return 0
  while read -r file; do
    if [ ! -e "/usr/local/share/$file" ] || [ -L "/usr/local/share/$file" ]; then
      link_to "$HERE/share/$file" "/usr/local/share/$file"
    fi
  done < <(cd "$HERE/share" && find . -type f -printf '%P\n')
}

# link_to TARGET LINK
link_to() {
  [ "$(readlink "$2")" != "$1" ] || return 0
  if [ -n "$DRY" ]; then echo "would link $2 to $1"; return; fi
  make_directory "$(dirname "$2")"
  ln -sfnT "$1" "$2"
  note "link $2"
}

make_directory() {
  [ ! -d "$1" ] || return 0
  make_directory "$(dirname "$1")"
  mkdir "$1"
  note "directory $1"
}

note() { grep -qxF -- "$1" "$RECORD" 2>/dev/null || echo "$1" >>"$RECORD"; }

install_here() {
  local words=(install --local --start "${PASSED[@]}") place
  if [ -n "$DRY" ]; then echo "would run: mesosup ${words[*]}"; return; fi
  if [ ! -e "$CLUSTER" ]; then
    note cluster
    # mesosup keeps the state of its clusters there.
    for place in "$HOME/.local" "$STATE_HOME" "$STATE_HOME/mesosup" "$CONFIG_HOME" "$CONFIG_HOME/mesosup"; do
      [ -d "$place" ] || note "directory $place"
    done
    # mesosup makes it with the cluster's certificate authority.
    place=$CONFIG_HOME/mesosup/ca-passphrase
    [ -e "$place" ] || note "passphrase $place"
  fi
  if [ -z "$YES" ] && has_terminal; then "$COMMAND" "${words[@]}" </dev/tty; else "$COMMAND" "${words[@]}" --yes </dev/null; fi ||
    die "mesosup is installed, but the cluster is not; the reason is above. Resume with: mesosup ${words[*]}"
  first_commands
}

first_commands() {
  local name url trust=''
  name=$(cat "$CLUSTER" 2>/dev/null) || return 0
  url=localhost:$(sed -n 's/.* --http_port=\([0-9]*\).*/\1/p' /etc/systemd/system/mesosup-scheduler.service)
  if [ -e /etc/mesosup/tls/in-use ]; then url=https://$url trust=' --cacert /etc/mesosup/tls/ca.pem'
  else url=http://$url; fi
  cat <<EOF

To try it, as root:

  mesosup status --name $name
  scheduler() { sed 's/.*/user = "&"/' /etc/mesosup/scheduler/api | curl -fsS -K -$trust -H 'Content-Type: application/json' "\$@"; }
  scheduler $url/v1/apps/start -d '{"id": "multidis", "instances": 2, "mem": 64, "cpus": 0.2, "executor": "/var/lib/mesos/executors/docker", "cmd": "johncosta/redis"}'
  scheduler $url/v1/endpoints

EOF
}

# uninstall_all: reverts all changes of this script.
uninstall_all() {
  local what at answer packages=()
  if [ ! -e "$RECORD" ]; then say "this script has installed nothing on this machine"; return; fi
  if [ -e "$CLUSTER" ]; then uninstall_cluster
  elif [ -z "$DRY$YES" ]; then
    has_terminal || usage_error "no terminal to ask for confirmation: --uninstall needs --yes"
    read -r -p "Remove mesosup from this machine? [y/N] " answer </dev/tty 2>/dev/tty
    [[ $answer = [yY]* ]] || die "mesosup was not removed."
  fi
  for at in "$PREFIX"/*/archive.json; do
    [ ! -e "$at" ] || remove "${at%/*}"
  done
  while read -r what at; do
    case "$what" in
      link) [[ $(readlink -m "$at") != "$PREFIX"/* ]] || remove "$at" ;;
      directory) [ -n "$DRY" ] || rmdir "$at" 2>/dev/null || true ;;
      package) packages+=("$at") ;;
      # Another cluster of this user may need it.
      passphrase) [ -n "$(ls -A "$STATE_HOME/mesosup" 2>/dev/null)" ] || [ ! -e "$at" ] || remove "$at" ;;
    esac
  done < <(tac "$RECORD")
  if [ -n "$DRY" ]; then
    [ ${#packages[@]} = 0 ] || echo "would remove the packages ${packages[*]}"
    return
  fi
  rm "$RECORD"
  rmdir "$PREFIX" 2>/dev/null || say "$PREFIX stays, because it contains other files"
  purge_packages "${packages[@]}"
  say "mesosup was removed"
}

uninstall_cluster() {
  local name words
  name=$(cat "$CLUSTER")
  grep -qx cluster "$RECORD" || die "this machine belongs to the cluster $name, which was not installed by this script. Run mesosup uninstall where the cluster was installed, and run this script again."
  words=(uninstall --local --name "$name" --purge "${PASSED[@]}")
  if [ -n "$DRY" ]; then echo "would run: mesosup ${words[*]}"; return; fi
  if [ -n "$YES" ]; then "$COMMAND" "${words[@]}" --yes </dev/null
  elif has_terminal; then "$COMMAND" "${words[@]}" </dev/tty
  else usage_error "no terminal to ask for confirmation: --uninstall needs --yes"; fi || die "the cluster could not be removed from this machine; the reason is above. mesosup stays installed. Run this script again."
  rm -rf "$STATE_HOME/mesosup/${name:?}"
}

remove() {
  if [ -n "$DRY" ]; then echo "would remove $1"; else rm -rf -- "$1"; fi
}

main() {
  HALF='' STAGE='' BEFORE='' HOME=${HOME:-/root} PATH=$PATH:/usr/sbin:/sbin
  STATE_HOME=${XDG_STATE_HOME:-$HOME/.local/state} CONFIG_HOME=${XDG_CONFIG_HOME:-$HOME/.config}
  LOG=$(mktemp)
  trap '[ -z "$HALF" ] || undo_program; rm -f "$LOG"' EXIT
  trap 'exit 130' INT TERM HUP
  if [ -n "$RELEASE_VERSION" ]; then release "$@"; return; fi
  ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]:-$0}")")/.." && pwd)
  [ -f "$ROOT/bin/checkout.sh" ] || die "this copy of bootstrap.sh is from a checkout and works only in a checkout"
  # shellcheck source-path=SCRIPTDIR
  . "$ROOT/bin/checkout.sh"
  checkout "$@"
}

main "$@"; }
