/** How apt is asked, alike when it installs and when it only says what it would do. */

/** Options of `apt-get install` that decide what it does. */
export const APT_CHOICES =
  '-y -q -o APT::Color=0 -o APT::Get::allow-downgrades=true -o APT::Get::allow-change-held-packages=true -o APT::Install-Recommends=false';

/** `newest`, which needs `cache`: apt-cache with the options of whoever asks. */
export const NEWEST = `# newest NAME VERSION: of the versions there are, that one or the newest that begins so, epoch aside
newest() {
  cache madison "$1" 2>/dev/null | awk -v want="$2" '{
    bare = $3
    sub(/^[0-9]+:/, "", bare)
    if ($3 == want || bare == want) { exact = $3; exit }
    if (first == "" && (index($3, want) == 1 || index(bare, want) == 1)) first = $3
  } END { print exact == "" ? first : exact }'
}`;
