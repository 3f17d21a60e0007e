# shellcheck shell=sh
# shellcheck disable=SC2154 # dir: set by simulate.sh
# Resolves packages with all their dependencies, as for a host without any package, and sends their files. Changes
# nothing on the host: everything is in a temporary directory. Needs open_simulation of simulate.sh.

# add_key PATH CONTENT: writes the key of a source, CONTENT is base64. The sources read it from the temporary directory.
add_key() {
  mkdir -p "$dir/keys"
  printf '%s' "$2" | base64 -d >"$dir/keys/${1##*/}"
  for file in "$dir"/new/*.list; do
    [ ! -e "$file" ] || sed -i "s|signed-by=$1\([] ]\)|signed-by=$dir/keys/${1##*/}\1|" "$file"
  done
}

# take_file URL SHA256 FILE: downloads a package file
take_file() { /usr/lib/apt/apt-helper -c "$dir/conf" -o APT::Sandbox::User=root download-file "$1" "$3" "SHA256:$2" 2>&1; }

# own_file NAME URL SHA256: adds a package file that is in no repository; an absolute path is a file that was sent before
own_file() {
  case $2 in
    /*) mv -f -- "$2" "$dir/$1.deb" ;;
    # apt makes a link to a file: URL.
    *) take_file "$2" "$3" "$dir/$1.part" >"$dir/last" && cp -L "$dir/$1.part" "$dir/$1.deb" ;;
  esac
  got=$(sha256sum <"$dir/$1.deb")
  if [ "${got%% *}" != "$3" ]; then
    { cat "$dir/last"; echo "E: $2 has another SHA-256 than $3"; } | member failure
    finish_resolve
    exit
  fi
  owns="$owns $dir/$1.deb"
  { dpkg-deb -f "$dir/$1.deb"; printf 'URI: %s\nSize: %s\nSHA256: %s\n\n' "$2" "$(wc -c <"$dir/$1.deb")" "$3"; } >>"$dir/owns"
}

# finish_resolve: ends the answer
finish_resolve() { printf '}\n' >&3; }

# A warning after which the lists of a repository are old, or not to be trusted.
LISTS_FAIL='^(E|W): (Failed to fetch|Some index files failed|GPG error|An error occurred during the signature)'

# resolve WORD...: NAME, NAME=~VERSION for a version with that prefix, or a file of make_package; own_file has come before
resolve() {
  : >"$dir/none"
  printf 'Dir::State::Lists "%s";\nDir::State::status "%s";\n' "$dir/lists" "$dir/none" >>"$dir/conf"
  for file in "$dir"/new/*.list; do
    # The plan's version of a list replaces that of the host.
    [ ! -e "$file" ] || cp -p "$file" "$dir/parts/"
  done
  if ! update >"$dir/last" || grep -Eq "$LISTS_FAIL" "$dir/last"; then
    grep -E "$LISTS_FAIL|^E: " "$dir/last" | member failure
    finish_resolve
    return
  fi
  for word; do
    shift
    case $word in
      *=~*)
        version=$(newest "${word%%=~*}" "${word#*=~}")
        word=${word%%=~*}=${version:-${word#*=~}} ;;
    esac
    set -- "$@" "$word"
  done
  # Names of packages contain no blanks, neither does the path of the directory.
  # shellcheck disable=SC2086
  if ! apt_get -c "$dir/conf" --print-uris install "$@" $owns >"$dir/uris" 2>"$dir/last"; then
    cat "$dir/uris" "$dir/last" | grep -E '^E: | : |^ +Depends' | member failure
    finish_resolve
    return
  fi
  # Files of the directory: those of own_file have their URI above, and each host makes those of make_package itself.
  grep "^'" "$dir/uris" | grep -vF -e "'file:$dir/" | member uris
  { cat "$dir/owns" 2>/dev/null
    awk "/^'/ { print \$2 }" "$dir/uris" | sed 's/_[^_]*[.]deb$//;s/_/=/;s/%3a/:/g;s/%5f/_/g' | xargs -r apt-cache -c "$dir/conf" show
  } | member show
  finish_resolve
}

# send_uri URI SHA256: prints the file as lines of base64 that can be decoded one by one
send_uri() {
  dir=$(mktemp -d /var/tmp/mesosup.XXXXXXXX) || exit 1
  trap 'rm -rf "$dir"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  : >"$dir/conf"
  take_file "$1" "$2" "$dir/file" >&2 && base64 -w 65536 "$dir/file"
}
