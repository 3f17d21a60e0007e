#!/bin/sh
# apt runs this when its plan is complete, before dpkg starts. Standard input is apt's protocol, version 2: settings up
# to an empty line, then `name old direction new file` for each package (apt.conf(5), DPkg::Pre-Install-Pkgs). A failure
# ends apt before it changes anything.
#
# Refuses to remove or downgrade (both have the direction `>`) a package that the host had before mesosup, unless it is
# allowed, and to take another version or file than versions.lock has. Records the state of each package before its first
# change, and the files that apt takes. Checks the free space.
#
#   $1  the file with apt's output so far
#   $2  a file with the names of packages that may be removed or downgraded, one a line; `*` allows all
#   $3  the journal
#   $4  the file of former versions
#   $5  a file with the versions that apt has to choose: `name version SHA-256`, one a line
#   $6  the file of installed packages
export LC_ALL=C
request=$(cat)
# Packages in the journal: `known`; of them, `ours` were installed by mesosup, and `removed` were removed by it.
RECALL='function recall(journal,  line, name) {
    while ((getline line <journal) > 0) if (match(line, /^\{"kind":"package","name":"[^"]*"/)) {
      name = substr(line, 27, RLENGTH - 27)
      known[name] = 1
      if (line ~ /"before":"absent"/) ours[name] = 1
      if (line ~ /"removed":true/) removed[name] = 1
    }
  }'
refused=$(printf '%s\n' "$request" | awk "$RECALL"'
  BEGIN { recall(ARGV[1]); while ((getline line <ARGV[2]) > 0) allowed[line] = 1; ARGC = 1 }
  body && $3 == ">" && !($1 in allowed) && !($1 in ours) && !("*" in allowed) {
    print "mesosup: " ($5 == "**REMOVE**" ? "remove" : "downgrade") " " $1 " " $2
  }
  $0 == "" { body = 1 }' "$3" "$2") || exit 1
[ -z "$refused" ] || { printf '%s\n' "$refused"; exit 1; }
files=$(printf '%s\n' "$request" | awk 'body && $5 ~ /^\// { print $5 } $0 == "" { body = 1 }')
# Names of package files contain no blanks: apt encodes them.
# shellcheck disable=SC2086
sums=$([ -z "$files" ] || sha256sum $files) || exit 1
took=$(printf '%s\n' "$request" | SUMS=$sums awk '
  BEGIN { n = split(ENVIRON["SUMS"], lines, "\n"); for (i = 1; i <= n; i++) sum[substr(lines[i], 67)] = substr(lines[i], 1, 64) }
  body && $5 in sum { print $1, $4, sum[$5] } $0 == "" { body = 1 }') || exit 1
moved=$(printf '%s\n' "$took" | awk '
  BEGIN { while ((getline line <ARGV[1]) > 0) { split(line, word, " "); version[word[1]] = word[2]; sum[word[1]] = word[3] }; ARGC = 1 }
  $1 in version && $2 != version[$1] { print "versions.lock: " $1 " " version[$1] ", and apt chose " $2; next }
  $1 in version && $3 != sum[$1] { print "versions.lock: " $1 " " $2 " with the SHA-256 " sum[$1] ", and apt fetched " $3 }' "$5") || exit 1
[ -z "$moved" ] || { printf '%s\n' "$moved"; exit 1; }
new=$(printf '%s\n' "$request" | awk "$RECALL"'
  BEGIN { recall(ARGV[1]); ARGC = 1 }
  body && (!($1 in known) || ($5 == "**REMOVE**" && !($1 in ours) && !($1 in removed))) {
    known[$1] = 1
    before = $2 == "-" ? "\"absent\"" : "{\"version\":\"" $2 "\"}"
    if ($5 == "**REMOVE**") { removed[$1] = 1; before = before ",\"removed\":true" }
    printf "{\"kind\":\"package\",\"name\":\"%s\",\"before\":%s}\n", $1, before
  }
  $0 == "" { body = 1 }' "$3") || exit 1
[ -z "$new" ] || { printf '%s\n' "$new" >>"$3" && sync "$3"; } || exit 1
former=$(printf '%s\n' "$request" | awk 'body && $2 != "-" && $3 != "=" { print $1, $2 } $0 == "" { body = 1 }')
[ -z "$former" ] || {
  { cat "$4" 2>/dev/null; printf '%s\n' "$former"; } |
    awk '!($1 in line) { name[++n] = $1 } { line[$1] = $0 } END { for (i = 1; i <= n; i++) print line[name[i]] }' >"$4.new" &&
    mv -f "$4.new" "$4"
} || exit 1
# apt writes how much space the packages need, but checks only the space for its downloads.
need=$(awk '/additional disk space will be used/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^[kMG]?B$/ && $(i + 2) == "of") {
  n = $i; gsub(",", "", n); f = $(i + 1) == "GB" ? 1000000 : $(i + 1) == "MB" ? 1000 : $(i + 1) == "kB" ? 1 : 0.001; printf "%.0f\n", n * f } }' "$1" | tail -n 1)
free=$(stat -f -c '%a %S' /usr | { read -r blocks size; echo $((blocks * size / 1000)); })
[ "${need:-0}" -lt "$free" ] || { echo "not enough free space: the packages need $((need / 1000)) MB in /usr, $((free / 1000)) MB are free"; exit 1; }
[ -z "$took" ] || {
  now=$(date +%s)
  { printf '%s\n' "$took" | awk -v now="$now" '{ print $0, now }'; cat "$6" 2>/dev/null; } | awk '!seen[$1]++' >"$6.new" &&
    mv -f "$6.new" "$6"
} || exit 1
