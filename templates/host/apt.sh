# shellcheck shell=sh
# How apt is asked, both for an installation and for a simulation of it. Needs a function `cache`: apt-cache with the
# options of the caller.

# apt_get WORD...: apt-get with the options that decide what an installation does
apt_get() {
  apt-get -y -q -o APT::Color=0 -o APT::Get::allow-downgrades=true -o APT::Get::allow-change-held-packages=true \
    -o APT::Install-Recommends=false "$@"
}

# newest NAME VERSION: prints that version, or the newest available one that begins with VERSION; the epoch may be
# left out of VERSION
newest() {
  cache madison "$1" 2>/dev/null | awk -v want="$2" '{
    bare = $3
    sub(/^[0-9]+:/, "", bare)
    if ($3 == want || bare == want) { exact = $3; exit }
    if (first == "" && (index($3, want) == 1 || index(bare, want) == 1)) first = $3
  } END { print exact == "" ? first : exact }'
}
