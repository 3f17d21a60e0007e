# shellcheck shell=sh
# shellcheck disable=SC2154 # error: set by run.sh
# Records the state of the host before mesosup changed it: one line of the journal for each resource, and a copy of each
# file.
#   JOURNAL, BACKUP  see places.ts

# open_journal: reads the journal, and ends a line that a power failure has cut
open_journal() {
  [ ! -s "$JOURNAL" ] || [ -z "$(tail -c 1 "$JOURNAL")" ] || echo >>"$JOURNAL"
  known=$(cat "$JOURNAL" 2>/dev/null)
  pending=
  backups=
}

# record LINE: adds a line to the journal with the next commit
record() { pending="$pending$1
"; known="$known
$1"; }

# commit: writes the recorded lines and the copies to disk. Must precede any change that they describe.
commit() {
  [ -n "$pending" ] || return 0
  # Paths of copies contain no blanks.
  # shellcheck disable=SC2086
  { printf '%s' "$pending" >>"$JOURNAL" && sync "$JOURNAL" $backups; } 2>"$error" || broke 'the journal could not be written'
  pending=
  backups=
}

# save FILE: copies the file to the backup under its SHA-256, and sets $digest to it
save() {
  digest=$(sha256sum <"$1") && digest=${digest%% *} || return
  [ -e "$BACKUP/$digest" ] && return
  (umask 077; cat <"$1" >"$BACKUP/.new") && mv -f "$BACKUP/.new" "$BACKUP/$digest" || return
  backups="$backups $BACKUP/$digest"
}

# keep KIND PATH JSON: records the state of a path unless it is recorded already; JSON is the path as a JSON string
keep() {
  case $known in *"\"path\":$3,"*) return 0 ;; esac
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then
    keep_parents "$2"
    record "{\"kind\":\"$1\",\"path\":$3,\"before\":\"absent\"}"
    return 0
  fi
  rest=''
  digest=''
  if [ -L "$2" ]; then type='link'; rest=",\"target\":\"$(json "$(readlink "$2")")\""
  elif [ -f "$2" ]; then
    type='file'
    save "$2" 2>"$error" || broke "$2 could not be copied to the backup"
    rest=",\"sha256\":\"$digest\""
  elif [ -d "$2" ]; then type=directory
  else type=other; fi
  facts=$(stat -c '%a %U %G' -- "$2")
  mode=${facts%% *} facts=${facts#* }
  record "{\"kind\":\"$1\",\"path\":$3,\"before\":{\"facts\":{\"type\":\"$type\",\"mode\":\"$(printf '%04d' "$mode")\",\"owner\":\"$(json "${facts%% *}")\",\"group\":\"$(json "${facts#* }")\"$rest},\"backup\":\"$digest\"}}"
}

# keep_here KIND PATH: like keep, for a path that was found on the host
keep_here() { keep "$1" "$2" "\"$(json "$2")\""; }

# keep_parents PATH: records the missing directories above it, the highest first
keep_parents() {
  set -- "${1%/*}"
  if [ -n "$1" ] && [ ! -e "$1" ]; then keep_here directory "$1"; fi
}

# keep_tree PATH: records the path and everything below it
keep_tree() {
  keep_here file "$1"
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    for child in "$1"/* "$1"/.[!.]* "$1"/..?*; do
      if [ -e "$child" ] || [ -L "$child" ]; then keep_tree "$child"; fi
    done
  fi
}
