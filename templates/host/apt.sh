# shellcheck shell=sh
# shellcheck disable=SC2154 # dir: set by the callers
# Calls of apt that an installation and its simulation share. Needs a function `cache`: apt-cache with the options of
# the caller.
#   PINS   versions that apt has to choose: `NAME VERSION SHA256`, one a line
#   INDEX  the index of a repository with package files that mesosup sends
#   ONLY   not empty: apt uses no other repository

# apt_get WORD...: apt-get with the options that affect the result of an installation
apt_get() {
  apt-get -y -q -o APT::Color=0 -o APT::Get::allow-downgrades=true -o APT::Get::allow-change-held-packages=true \
    -o APT::Install-Recommends=false "$@"
}

# newest NAME VERSION: prints VERSION if it is available, else the newest available version with that prefix. VERSION
# may omit the epoch.
newest() {
  cache madison "$1" 2>/dev/null | awk -v want="$2" '{
    bare = $3
    sub(/^[0-9]+:/, "", bare)
    if ($3 == want || bare == want) { exact = $3; exit }
    if (first == "" && (index($3, want) == 1 || index(bare, want) == 1)) first = $3
  } END { print exact == "" ? first : exact }'
}

# make_package CONTROL FILE: makes a package without files, with these control fields. The same fields give the same file.
make_package() {
  rm -rf "$dir/made"
  mkdir -p "$dir/made/DEBIAN" && printf '%s' "$1" >"$dir/made/DEBIAN/control" && chmod 0755 "$dir/made" "$dir/made/DEBIAN" &&
    SOURCE_DATE_EPOCH=0 dpkg-deb --root-owner-group -Znone --build "$dir/made" "$2" >/dev/null
}

# choose_packages CONF PARTS: adds the options for PINS and INDEX to the configuration of apt. PARTS is a directory with
# copies of the host's lists of repositories; it gets one more, of the package files in $dir/files.
choose_packages() {
  if [ -n "$PINS" ]; then
    mkdir -p "$dir/preferences"
    preferences=
    eval "$(apt-config shell preferences Dir::Etc::PreferencesParts/d)"
    [ ! -d "$preferences" ] || cp -RLp "$preferences/." "$dir/preferences/"
    # The last file: a pin of the host's owner comes first. A priority below 1000 downgrades no package.
    printf '%s\n' "$PINS" | awk 'NF { printf "Package: %s\nPin: version %s\nPin-Priority: 995\n\n", $1, $2 }' \
      >"$dir/preferences/zz-mesosup.pref"
    printf 'Dir::Etc::PreferencesParts "%s";\n' "$dir/preferences/" >>"$1"
  fi
  [ -n "$INDEX$ONLY" ] || return 0
  mkdir -p "$dir/files"
  printf '%s\n' "$INDEX" >"$dir/files/Packages"
  if [ -n "$ONLY" ]; then
    rm -rf "${2:?}"/*
    mkdir -p "$dir/lists/partial"
    printf 'Dir::Etc::SourceList "/dev/null";\nDir::State::Lists "%s";\n' "$dir/lists/" >>"$1"
  fi
  printf 'deb [trusted=yes] file:%s ./\n' "$dir/files" >"$2/mesosup-files.list"
  # The user _apt can't enter the directory of a run.
  printf 'Dir::Etc::SourceParts "%s";\nAPT::Sandbox::User "root";\n' "$2/" >>"$1"
}
