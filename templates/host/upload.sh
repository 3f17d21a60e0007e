# shellcheck shell=sh
# Receives a file.
#   DIRECTORY  the directory to store it in
#   SHA256     its digest, which becomes its name
#   BYTES      its size

# upload: prints `send` if the file is missing, and then reads it from standard input
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
    echo "the received file has the SHA-256 ${got%% *}, not $SHA256" >&2
    exit 1
  fi
  mv -f "$file.$$" "$file"
}
