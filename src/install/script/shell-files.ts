/** The part of an apply script that writes files, directories, links and users, and keeps what was there before. */

import { BACKUP, JOURNAL } from './places.ts';

export const FILES = `[ ! -s ${JOURNAL} ] || [ -z "$(tail -c 1 ${JOURNAL})" ] || echo >>${JOURNAL}
known=$(cat ${JOURNAL} 2>/dev/null)
pending=
backups=
# record LINE: into the journal, with the next commit
record() { pending="$pending$1
"; known="$known
$1"; }
# Before anything is changed, what it was is on the disk.
commit() {
  [ -n "$pending" ] || return 0
  { printf '%s' "$pending" >>${JOURNAL} && sync ${JOURNAL} $backups; } 2>"$error" || broke 'the journal could not be written'
  pending=
  backups=
}
# save FILE: a copy named by its digest, in $digest
save() {
  digest=$(sha256sum <"$1") && digest=\${digest%% *} || return
  [ -e "${BACKUP}/$digest" ] && return
  (umask 077; cat <"$1" >${BACKUP}/.new) && mv -f ${BACKUP}/.new "${BACKUP}/$digest" || return
  backups="$backups ${BACKUP}/$digest"
}
# keep KIND PATH JSON: the state of a path, once and for all; JSON is the path as a JSON string
keep() {
  case $known in *"\\"path\\":$3,"*) return 0 ;; esac
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then
    keep_parents "$2"
    record "{\\"kind\\":\\"$1\\",\\"path\\":$3,\\"before\\":\\"absent\\"}"
    return 0
  fi
  rest=''
  digest=''
  if [ -L "$2" ]; then type='link'; rest=",\\"target\\":\\"$(json "$(readlink "$2")")\\""
  elif [ -f "$2" ]; then
    type='file'
    save "$2" 2>"$error" || broke "$2 could not be kept"
    rest=",\\"sha256\\":\\"$digest\\""
  elif [ -d "$2" ]; then type=directory
  else type=other; fi
  facts=$(stat -c '%a %U %G' -- "$2")
  mode=\${facts%% *} facts=\${facts#* }
  record "{\\"kind\\":\\"$1\\",\\"path\\":$3,\\"before\\":{\\"facts\\":{\\"type\\":\\"$type\\",\\"mode\\":\\"$(printf '%04d' "$mode")\\",\\"owner\\":\\"$(json "\${facts%% *}")\\",\\"group\\":\\"$(json "\${facts#* }")\\"$rest},\\"backup\\":\\"$digest\\"}}"
}
keep_here() { keep "$1" "$2" "\\"$(json "$2")\\""; }
# keep_parents PATH: the directories above it that are missing, the highest first
keep_parents() {
  set -- "\${1%/*}"
  if [ -n "$1" ] && [ ! -e "$1" ]; then keep_here directory "$1"; fi
}
# keep_tree PATH: it with all beneath it
keep_tree() {
  keep_here file "$1"
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    for child in "$1"/* "$1"/.[!.]* "$1"/..?*; do
      if [ -e "$child" ] || [ -L "$child" ]; then keep_tree "$child"; fi
    done
  fi
}
# parents PATH: the directories above it
parents() {
  set -- "\${1%/*}"
  if [ -n "$1" ] && [ ! -d "$1" ]; then
    parents "$1"
    keep_here directory "$1"
    commit
    mkdir -m 0755 -- "$1" 2>"$error" || broke "$1 could not be made"
  fi
}
beside() { new=\${1%/*}/.\${1##*/}.mesosup; rm -rf -- "$new"; }
# owned PATH OWNER GROUP MODE
owned() { chown -h "$2:$3" -- "$1" && chmod "$4" -- "$1"; }
# A file appears whole or not at all, and never for eyes that may not see it.
settle_file() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then echo "there is a directory" >&2; return 1; fi
  owned "$new" "$2" "$3" "$4" && mv -fT -- "$new" "$1"
}
changed() { case $1 in /etc/systemd/*|/lib/systemd/*|/usr/lib/systemd/*) reload=yes ;; esac; }
# put PATH OWNER GROUP MODE: content as base64 on standard input
put() {
  parents "$1"
  beside "$1"
  { (umask 077; base64 -d >"$new") && settle_file "$@"; } 2>"$error" || { rm -f -- "$new"; broke "$1 could not be written"; }
  changed "$1"
}
# make_directory PATH OWNER GROUP MODE
make_directory() {
  parents "$1"
  { [ -d "$1" ] || mkdir -m 0700 -- "$1"; } 2>"$error" && owned "$@" 2>"$error" || broke "$1 could not be made a directory"
}
# only PATH NAME...: moves all others to the backup
only() {
  directory=$1
  shift
  for stray in "$directory"/* "$directory"/.[!.]* "$directory"/..?*; do
    [ -e "$stray" ] || [ -L "$stray" ] || continue
    for name in "$@"; do [ "\${stray##*/}" != "$name" ] || continue 2; done
    keep_tree "$stray"
    commit
    rm -rf -- "$stray" 2>"$error" || broke "$stray could not be moved away"
    say "$stray was moved to the backup"
  done
}
# link PATH TARGET
link() {
  parents "$1"
  beside "$1"
  { ln -s -- "$2" "$new" && mv -fT -- "$new" "$1"; } 2>"$error" || { rm -f -- "$new"; broke "$1 could not be made a link"; }
  changed "$1"
}
# discard PATH: what it is was kept before. A mount point can only be emptied.
discard() {
  rm -rf --one-file-system -- "$1" 2>"$error" ||
    { [ -d "$1" ] && [ -z "$(ls -A -- "$1")" ] && say "$1 stays: it is a mount point"; } ||
    broke "$1 could not be removed"
  changed "$1"
}
# gone PATH: it was not there before us
gone() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    rmdir -- "$1" 2>/dev/null || say "$1 stays: it is not empty"
  else
    rm -f -- "$1" 2>"$error" || broke "$1 could not be removed"
  fi
  changed "$1"
}
# put_back PATH OWNER GROUP MODE DIGEST: from the backup
put_back() {
  parents "$1"
  beside "$1"
  { [ ! -d "$1" ] || [ -L "$1" ] || rmdir -- "$1"; } 2>"$error" &&
    { (umask 077; cat <"${BACKUP}/$5" >"$new") && settle_file "$1" "$2" "$3" "$4"; } 2>"$error" ||
    { rm -f -- "$new"; broke "$1 could not be restored"; }
  changed "$1"
}
# make_user NAME HOME GROUP...
make_user() {
  user=$1 home=$2
  shift 2
  getent passwd "$user" >/dev/null ||
    logged useradd --system --user-group --home-dir "$home" --no-create-home --shell /usr/sbin/nologin "$user" ||
    fail user "the user $user could not be made: $(said)" 'See what useradd said.'
  for group in "$@"; do
    getent group "$group" >/dev/null || logged groupadd --system "$group" ||
      fail user "the group $group could not be made: $(said)" 'See what groupadd said.'
    logged usermod -a -G "$group" "$user" ||
      fail user "$user could not be made a member of $group: $(said)" 'See what usermod said.'
  done
}
# keep_user NAME
keep_user() {
  case $known in *"{\\"kind\\":\\"user\\",\\"name\\":\\"$1\\","*) return 0 ;; esac
  before='"absent"'
  if getent passwd "$1" >/dev/null; then
    before="{\\"groups\\":[$(id -Gn "$1" | sed 's/[^ ][^ ]*/"&"/g; s/ /,/g')]}"
  fi
  record "{\\"kind\\":\\"user\\",\\"name\\":\\"$1\\",\\"before\\":$before}"
}
# leave_groups NAME GROUP...: all but these
leave_groups() {
  user=$1
  shift
  for group in $(id -Gn "$user" 2>/dev/null); do
    for name in "$@"; do [ "$group" != "$name" ] || continue 2; done
    logged gpasswd -d "$user" "$group" || say "$user is still a member of $group"
  done
}
remove_user() {
  if getent passwd "$1" >/dev/null; then
    logged userdel "$1" || fail user "the user $1 could not be removed: $(said)" 'See what userdel said; end its processes.'
  fi
}
`;
