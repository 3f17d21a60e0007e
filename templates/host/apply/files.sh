# shellcheck shell=sh
# shellcheck disable=SC2034 # reload: read by services.sh
# shellcheck disable=SC2154 # error: set by run.sh
# Writes and removes files, directories and links.
#   BACKUP  see places.ts

# parents PATH: creates the missing directories above it
parents() {
  set -- "${1%/*}"
  if [ -n "$1" ] && [ ! -d "$1" ]; then
    parents "$1"
    keep_here directory "$1"
    commit
    mkdir -m 0755 -- "$1" 2>"$error" || broke "$1 could not be created"
  fi
}

# beside PATH: sets $new to the path of a draft in the same directory
beside() { new=${1%/*}/.${1##*/}.mesosup; rm -rf -- "$new"; }

# owned PATH OWNER GROUP MODE: sets owner, group and mode
owned() { chown -h "$2:$3" -- "$1" && chmod "$4" -- "$1"; }

# settle_file PATH OWNER GROUP MODE: moves $new to the path. The file appears atomically, and is never readable by users
# who may not read it.
settle_file() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then echo "it is a directory" >&2; return 1; fi
  owned "$new" "$2" "$3" "$4" && mv -fT -- "$new" "$1"
}

# changed PATH: requests that systemd reads its units again, if the path is a unit
changed() { case $1 in /etc/systemd/*|/lib/systemd/*|/usr/lib/systemd/*) reload=yes ;; esac; }

# put PATH OWNER GROUP MODE: writes a file, whose content is base64 on standard input
put() {
  parents "$1"
  beside "$1"
  { (umask 077; base64 -d >"$new") && settle_file "$@"; } 2>"$error" || { rm -f -- "$new"; broke "$1 could not be written"; }
  changed "$1"
}

# make_directory PATH OWNER GROUP MODE: creates the directory, also in the place of a file, which moves to the backup
make_directory() {
  parents "$1"
  if [ -f "$1" ] && [ ! -L "$1" ]; then
    { save "$1" && rm -f -- "$1"; } 2>"$error" || broke "$1 could not be moved to the backup"
  fi
  if ! { [ -d "$1" ] || mkdir -m 0700 -- "$1"; } 2>"$error" || ! owned "$@" 2>"$error"; then
    broke "the directory $1 could not be created"
  fi
}

# only DIRECTORY NAME...: moves everything but these names from the directory to the backup
only() {
  directory=$1
  shift
  for stray in "$directory"/* "$directory"/.[!.]* "$directory"/..?*; do
    [ -e "$stray" ] || [ -L "$stray" ] || continue
    for name in "$@"; do [ "${stray##*/}" != "$name" ] || continue 2; done
    keep_tree "$stray"
    commit
    rm -rf -- "$stray" 2>"$error" || broke "$stray could not be moved to the backup"
    say "$stray was moved to the backup"
  done
}

# link PATH TARGET
link() {
  parents "$1"
  beside "$1"
  { ln -s -- "$2" "$new" && mv -fT -- "$new" "$1"; } 2>"$error" || { rm -f -- "$new"; broke "the link $1 could not be created"; }
  changed "$1"
}

# discard PATH: removes the path with everything below it, whose state has been recorded. Only empties a mount point.
discard() {
  rm -rf --one-file-system -- "$1" 2>"$error" ||
    { [ -d "$1" ] && [ -z "$(ls -A -- "$1")" ] && say "$1 is kept: it is a mount point"; } ||
    broke "$1 could not be removed"
  changed "$1"
}

# gone PATH: removes a path that did not exist before mesosup. Keeps a directory that is not empty.
gone() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    rmdir -- "$1" 2>/dev/null || say "$1 is kept: it is not empty"
  else
    rm -f -- "$1" 2>"$error" || broke "$1 could not be removed"
  fi
  changed "$1"
}

# put_back PATH OWNER GROUP MODE DIGEST: restores a file from the backup
put_back() {
  parents "$1"
  beside "$1"
  if ! { [ ! -d "$1" ] || [ -L "$1" ] || rmdir -- "$1"; } 2>"$error" ||
    ! { (umask 077; cat <"$BACKUP/$5" >"$new") && settle_file "$1" "$2" "$3" "$4"; } 2>"$error"; then
    rm -f -- "$new"
    broke "$1 could not be restored"
  fi
  changed "$1"
}
