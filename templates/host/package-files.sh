# shellcheck shell=sh
# Sends package files from the cache of the host's apt. Changes nothing.
#   WANTED  `NAME SHA256`, one a line

# find_files: prints `SHA256 BYTES PATH CONTROL` for each wanted file that the cache has; the last two are base64
find_files() {
  archives=/var/cache/apt/archives/
  eval "$(apt-config shell archives Dir::Cache::archives/d)"
  printf '%s\n' "$WANTED" | while read -r name sum; do
    for file in "${archives%/}/${name}_"*.deb; do
      [ -f "$file" ] || continue
      got=$(sha256sum <"$file")
      [ "${got%% *}" = "$sum" ] || continue
      printf '%s %s %s %s\n' "$sum" "$(wc -c <"$file")" "$(printf %s "$file" | base64 -w 0)" "$(dpkg-deb -f "$file" | base64 -w 0)"
      break
    done
  done
}

# send_file FILE: prints the file as lines of base64 that can be decoded one by one
send_file() { base64 -w 65536 "$1"; }
