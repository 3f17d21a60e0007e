# shellcheck shell=sh
# Takes a file.
#   DIRECTORY  where it goes
#   SHA256     its digest, which becomes its name
#   BYTES      its size

# upload: prints `send` where the file is not there yet, and then reads it from standard input
upload() {
  umask 022
  { mkdir -p "$DIRECTORY" && chmod 0700 "$DIRECTORY"; } || exit
  file=$DIRECTORY/$SHA256
  if [ -f "$file" ] && [ "$(wc -c <"$file")" -eq "$BYTES" ]; then exit 0; fi
  trap 'rm -f "$file.$$"' EXIT
  echo send
  head -c "$BYTES" >"$file.$$" || exit
  got=$(sha256sum <"$file.$$")
  if [ "${got%% *}" != "$SHA256" ]; then
    echo "what arrived has the SHA-256 ${got%% *}, not $SHA256" >&2
    exit 1
  fi
  mv -f "$file.$$" "$file"
}
