# shellcheck shell=sh
# Calls of apt that an installation and its simulation share. Needs a function `cache`: apt-cache with the options of
# the caller.
#   PINS  versions that apt has to choose: `NAME VERSION SHA256`, one a line

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

# pin_versions DIRECTORY: copies apt's preferences into the directory, with PINS after them, so that a pin of the host's
# owner comes first. A priority below 1000 downgrades no package.
pin_versions() {
  mkdir -p "$1" || return
  preferences=
  eval "$(apt-config shell preferences Dir::Etc::PreferencesParts/d)"
  [ ! -d "$preferences" ] || cp -RLp "$preferences/." "$1/"
  printf '%s\n' "$PINS" | awk 'NF { printf "Package: %s\nPin: version %s\nPin-Priority: 995\n\n", $1, $2 }' >"$1/zz-mesosup.pref"
}
