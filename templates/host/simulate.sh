# shellcheck shell=sh
# Simulates with apt the installation of a plan's packages. Changes nothing on the host: missing or old package lists
# are fetched into a temporary directory. The answer is one line of JSON whose strings are outputs in base64.
#   LISTS_STALE  see places.ts
#   NAMES        names of the packages, one a line
#   FRESH        not empty: always fetch the package lists
#   PINS, INDEX, ONLY  see apt.sh

# Timeout in seconds for each of the two fetches of lists.
FETCH_SECONDS=120

# member NAME: adds standard input to the answer
member() { { printf ',"%s":"' "$1"; base64 -w 0; printf '"'; } >&3; }

# cache WORD...: apt-cache, for newest in apt.sh
cache() { apt-cache -c "$dir/conf" "$@"; }

# open_simulation: creates the directory $dir with a configuration of apt
open_simulation() {
  export DEBIAN_FRONTEND=noninteractive HOME=/root
  umask 022
  exec </dev/null
  dir=$(mktemp -d /var/tmp/mesosup.XXXXXXXX) || exit 1
  trap 'rm -rf "$dir"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  chmod 0755 "$dir"
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts" "$dir/new"
  exec 3>&1 >"$dir/stdout" 2>"$dir/stderr"
  # The hooks of an update would change the host: indexes of programs, notices, a cleared cache.
  cat >"$dir/conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Post-Invoke-Stats;
Dir::Cache "$dir/cache/";
Dir::Etc::SourceParts "$dir/parts/";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
END
  parts=
  eval "$(apt-config shell parts Dir::Etc::SourceParts/d)"
  [ ! -d "$parts" ] || cp -RLp "$parts/." "$dir/parts/"
  choose_packages "$dir/conf" "$dir/parts"
  sources=
  printf '{"format":1' >&3
}

# add_source NAME CONTENT: adds a file of sources that the plan writes
add_source() {
  sources=yes
  printf '%s' "$2" >"$dir/new/$1"
}

# lacking NAME...: prints the packages without a candidate
lacking() {
  for name; do echo "$name" "${name}t64"; done | xargs apt-cache -c "$dir/conf" policy | awk '
    BEGIN { for (i = 1; i < ARGC; i++) wanted[i] = ARGV[i]; n = ARGC; ARGC = 1 }
    /^[^ ]/ { name = $1; sub(/(t64)?:$/, "", name) }
    /^  Candidate: [^(]/ { there[name] = 1 }
    END { for (i = 1; i < n; i++) if (!(wanted[i] in there)) print wanted[i] }' "$@"
}

# unknown WORD...: succeeds if a word is NAME=~VERSION, and apt knows no such version
unknown() {
  for word; do
    case $word in *=~*) [ -n "$(newest "${word%%=~*}" "${word#*=~}")" ] || return 0 ;; esac
  done
  return 1
}

# update OPTION...: fetches package lists. apt's cache is built by the next program that reads it, so once: instead of the
# line that apt prints then, one of our own tells that the lists were fetched
update() {
  timeout "$FETCH_SECONDS" apt-get -c "$dir/conf" -q update -o APT::Color=0 -o pkgCacheFile::Generate=false "$@" 2>&1 &&
    echo 'Lists fetched'
}

# fetch_lists: fetches the lists of the host's and of the plan's sources into $dir
fetch_lists() {
  lists=
  eval "$(apt-config shell lists Dir::State::Lists/d)"
  cp -p "$lists"/*_* "$dir/lists/"
  printf 'Dir::State::Lists "%s";\n' "$dir/lists/" >>"$dir/conf"
  for file in "$dir"/new/*.list; do [ ! -e "$file" ] || rm -f "$dir/parts/${file##*/}"; done
  update | member hostUpdate
  if ls "$dir"/new/*.list; then
    # The plan installs the keys, so the signatures can't be checked yet. Nothing is installed from these lists.
    update -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$dir/new/" -o APT::Get::List-Cleanup=0 \
      -o Acquire::AllowInsecureRepositories=true -o Acquire::AllowDowngradeToInsecureRepositories=true | member planUpdate
    cp -p "$dir"/new/*.list "$dir/parts/"
  fi
}

# preferences: prints names and contents of apt's preferences files, each ended by a NUL
preferences() {
  for file in /etc/apt/preferences /etc/apt/preferences.d/*; do
    case ${file##*/} in *[!A-Za-z0-9_.-]* | *.*.* | .*) continue ;; *.pref) ;; *.*) continue ;; esac
    [ ! -f "$file" ] || { printf '%s\0' "$file"; head -c 65536 "$file" | tr -d '\000'; printf '\0'; }
  done
}

# try_install WORD...: simulates the installation
try_install() { apt_get -c "$dir/conf" -s -o APT::Get::AllowUnauthenticated=true install "$@" 2>&1; }

# rivals: prints `NAME-` for installed packages that conflict with packages of the plan. apt removes a package that a
# repository has only if it is named like this.
rivals() {
  awk '/have unmet dependencies:/ { on = 1 } on && / : (Conflicts|Breaks): / { print $1 }' "$dir/simulation" | while read -r name; do
    printf '%s\n' "$NAMES" | grep -qxF -e "$name" && continue
    # The braces are dpkg-query's.
    # shellcheck disable=SC2016
    ! dpkg-query -W -f '${Status}' "$name" | grep -q ' ok installed$' || echo "$name-"
  done
}

# relations: prints the relations of the packages that apt would install and remove
relations() {
  for file in "$dir"/*.deb; do [ ! -e "$file" ] || { dpkg-deb -f "$file" && echo; }; done
  awk '{ print $1 "=" $2 }' "$dir/new-versions" | xargs -r apt-cache -c "$dir/conf" show
  # The braces are dpkg-query's.
  # shellcheck disable=SC2016
  awk '$1 == "Remv" { print $2 }' "$dir/simulation" | xargs -r dpkg-query -W -f 'Package: ${Package}\nDepends: ${Depends}\nPre-Depends: ${Pre-Depends}\nConflicts: ${Conflicts}\nBreaks: ${Breaks}\nProvides: ${Provides}\n\n'
}

# changes: adds packages that apt would downgrade, and relations, to the answer
changes() {
  awk '$1 == "Inst" { v = $3 ~ /^\[/ ? $4 : $3; sub(/^\(/, "", v); o = $3 ~ /^\[/ ? $3 : ""; gsub(/[][]/, "", o); print $2, v, o }' "$dir/simulation" >"$dir/new-versions"
  while read -r name new old; do
    [ -z "$old" ] || ! dpkg --compare-versions "$new" lt "$old" || echo "$name"
  done <"$dir/new-versions" | member downgrades
  relations | grep -E '^(Package|Depends|Pre-Depends|Conflicts|Breaks|Provides): |^$' | member relations
}

# lacking_pins: prints the names of PINS whose version no repository has
lacking_pins() {
  printf '%s\n' "$PINS" | awk '{ print $1 }' | xargs -r apt-cache -c "$dir/conf" madison | PINS=$PINS awk '
    { there[$1 " " $3] = 1 }
    END { n = split(ENVIRON["PINS"], lines, "\n"); for (i = 1; i <= n; i++) { split(lines[i], word, " "); if (!((word[1] " " word[2]) in there)) print word[1] } }'
}

# download WORD...: prints the bytes that apt would download, nothing if they are not known; archives that the host has
# already are not downloaded
download() {
  archives=/var/cache/apt/archives/
  eval "$(apt-config shell archives Dir::Cache::archives/d)"
  apt_get -c "$dir/conf" --print-uris -o Dir::Cache::archives="$archives" -o APT::Get::AllowUnauthenticated=true install "$@" \
    >"$dir/uris" || return 0
  awk "/^'/ && !/^'file:/ { bytes += \$3 } END { printf \"%.0f\", bytes }" "$dir/uris"
}

# dependencies WORD...: prints the direct and indirect dependencies of the packages
dependencies() {
  for word; do case $word in /*) ;; *) echo "${word%%=*}" ;; esac; done | xargs apt-cache -c "$dir/conf" depends --recurse \
    --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances | awk '
      { gsub(/[<>]/, "") } /^[a-z0-9]/ { print $1 } / (Pre)?Depends: / { print $NF }' | sort -u
}

# simulate WORD...: simulates the installation of NAME, of NAME=~VERSION for a version with that prefix, or of a file that
# make_package has made
simulate() {
  # One name a line.
  # shellcheck disable=SC2086
  if [ -n "$FRESH$sources" ] || [ -e "$LISTS_STALE" ] || [ -n "$(lacking $NAMES)" ] || unknown "$@"; then fetch_lists; fi
  # shellcheck disable=SC2086 # As above.
  lacking=" $(lacking $NAMES | tr '\n' ' ')"
  printf '%s' "$lacking" | member lacking
  # shellcheck disable=SC2086 # As above.
  cache policy $NAMES | member policy
  # shellcheck disable=SC2086 # As above.
  cache madison $NAMES | member madison
  [ -z "$PINS" ] || lacking_pins | member lackingPins
  # The braces are dpkg-query's.
  # shellcheck disable=SC2016
  dpkg-query -W -f '${Status}\t${Package}\t${Version}\n' | awk -F '\t' '$1 ~ /^hold / { print $2, $3 }' | member holds
  preferences | member preferences
  for word; do
    shift
    name=${word%%=~*}
    case $lacking in *" $name "*) continue ;; esac
    case $word in
      *=~*)
        version=$(newest "$name" "${word#*=~}")
        # parseSimulation reports it.
        [ -n "$version" ] || continue
        word=$name=$version ;;
    esac
    set -- "$@" "$word"
  done
  if [ $# -gt 0 ]; then
    try_install "$@" >"$dir/simulation"
    code=$?
    if [ "$code" -ne 0 ] && rivals >"$dir/rivals" && [ -s "$dir/rivals" ]; then
      # Names of packages contain no blanks.
      # shellcheck disable=SC2046
      if try_install "$@" $(cat "$dir/rivals") >"$dir/without-rivals"; then
        code=0
        mv "$dir/without-rivals" "$dir/simulation"
        # shellcheck disable=SC2046 # As above.
        set -- "$@" $(cat "$dir/rivals")
      fi
    fi
    member simulation <"$dir/simulation"
    if [ "$code" -eq 0 ]; then
      changes
      download "$@" | member download
    else
      dependencies "$@" | member dependencies
    fi
  fi
  printf '}\n' >&3
}
