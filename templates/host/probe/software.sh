# shellcheck shell=sh
# Reads services, packages, files and the Docker engine.
#   JOURNAL, INSTALLED_PACKAGES, IMAGES  see places.ts
#   MESOS_PROGRAMS   possible paths of a master or an agent, one a line
#   UNITS, JOBS      names of services for systemd and for Upstart, one a line
#   UNIT_PROPERTIES  properties to read of each systemd unit
#   PACKAGES         names, one a line
#   FILES, TREES     paths of files, and of directories to read recursively: words quoted for the shell, since a path
#                    may contain a line end
#   MAX_HASHED       bytes; larger files get no digest
#   MAX_TEXT         bytes; larger files get no text

# services: the state of each service
services() (
  IFS=$NEWLINE
  set -f
  if [ -d /run/systemd/system ]; then
    # A unit a line.
    # shellcheck disable=SC2086
    systemctl show -p "$UNIT_PROPERTIES" -- $UNITS | member units
  elif command -v initctl >/dev/null; then
    for job in $JOBS; do
      if [ -f "/etc/init/$job.conf" ]; then
        manual=no
        grep -qsx 'manual' "/etc/init/$job.override" && manual=yes
        printf '%s\t%s\t%s\n' "$job" "$manual" "$(initctl status "$job" | head -n 1)"
      fi
    done | member jobs
  fi
)

# packages: the states of PACKAGES, of packages that mesosup has removed, and of all packages with an incomplete state
packages() (
  IFS=$NEWLINE
  set -f
  # The braces are dpkg-query's. A package a line.
  # shellcheck disable=SC2016,SC2086
  dpkg-query -W -f '${Package}\t${Version}\t${Status}\n' | awk -F '\t' -v journal="$JOURNAL" '
    BEGIN {
      for (i = 1; i < ARGC; i++) want[ARGV[i]] = 1
      ARGC = 1
      while ((getline line <journal) > 0)
        if (line ~ /^\{"kind":"package",.*"removed":true/) { split(line, word, "\""); want[word[8]] = 1 }
    }
    ($1 in want) || $3 !~ / ok (installed|config-files|not-installed)$/' $PACKAGES | member packages
)

# taken: the lines of INSTALLED_PACKAGES, as far as the packages are still installed. A package that is there in another
# version has this version, and `-` instead of the SHA-256.
taken() {
  [ -s "$INSTALLED_PACKAGES" ] || return 0
  # The braces are dpkg-query's.
  # shellcheck disable=SC2016
  dpkg-query -W -f '${Package} ${Version} ${Status}\n' | awk -v taken="$INSTALLED_PACKAGES" '
    BEGIN { while ((getline line <taken) > 0) { split(line, word, " "); version[word[1]] = word[2]; whole[word[1]] = line } }
    $5 == "installed" && ($1 in version) { print ($2 == version[$1] ? whole[$1] : $1 " " $2 " - 0") }' | member taken
}

# find_all EXPRESSION...: runs find on FILES and TREES
find_all() {
  [ -z "$FILES" ] || eval "find $FILES -maxdepth 0 \"\$@\""
  [ -z "$TREES" ] || eval "find $TREES \"\$@\""
}

# file_list: type, mode, owner, group, size, path and target of each, ended by NULs
file_list() { find_all -printf '%y\0%m\0%u\0%g\0%s\0%p\0%l\0' | member list; }

# file_sums: the digests of regular files
file_sums() { find_all -type f -size -"$((MAX_HASHED + 1))"c -exec sha256sum {} + | member sums; }

# file_texts: the texts of small files that everyone may read, in the order of the list, which has their sizes
file_texts() { find_all -type f -perm -004 -size -"$((MAX_TEXT + 1))"c -exec cat {} + | member texts; }

# docker_engine: the engine's version
docker_engine() {
  {
    if ! { engine_runs && echo running &&
      timeout 3 docker version --format '{{.Server.Version}}'; }; then
      # An older client asks the engine for this, too.
      command -v docker && timeout 3 docker --version
    fi
  } | member docker
}

# images: the names of the files in IMAGES whose image Docker still has
images() {
  [ -d "$IMAGES" ] || return 0
  engine_runs || return 0
  for file in "$IMAGES"/*; do
    read -r name id <"$file" || continue
    [ "$(timeout 3 docker image inspect -f '{{.Id}}' "$name" 2>/dev/null)" = "$id" ] && echo "${file##*/}"
  done | member images
}

# mesos_tls: whether the Mesos of this host needs OpenSSL itself, which it does if it was built with TLS. Its program or
# one of its own libraries names it; that others, for example libcurl, need OpenSSL means nothing. Prints nothing if
# ldd can't read the program, for example a script.
mesos_tls() {
  for program in $MESOS_PROGRAMS; do
    [ -f "$program" ] || continue
    needs=$(ldd "$program") || continue
    # libprocess first, since it is much smaller. Built by autotools, it is a part of libmesos.
    libraries=$(printf '%s\n' "$needs" | awk '$1 ~ /^lib(mesos|process)[-.]/ { print $3 }' | sort -r)
    # A word is a path, or "not" of "not found".
    for file in $libraries; do [ -f "$file" ] || continue 2; done
    # shellcheck disable=SC2086
    if grep -qF libssl.so -- "$program" $libraries; then echo yes; else echo no; fi
    break
  done | member mesosTls
}
