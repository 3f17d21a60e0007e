/** The part of an apply script that brings and removes packages. */

import {
  JOURNAL,
  LISTS_STALE,
  START_POLICY,
  START_POLICY_MARK,
  START_POLICY_SAVED,
  UPLOADS,
} from './places.ts';
import { LOCK_HOLDER } from './probe.ts';
import { APT_CHOICES, NEWEST } from './shell-apt.ts';

/**
 * What apt runs once it knows all it will do and before dpkg does any of it. Its standard input is apt's protocol,
 * version 2: settings up to an empty line, then `name old direction new file` for each package (apt.conf(5),
 * DPkg::Pre-Install-Pkgs). What fails here ends apt with nothing done.
 *
 * A removal or downgrade (both have the direction `>`) of a package that the owner had is refused, unless the second
 * argument, a file, has its name or `*`. The first is the file of what apt has written.
 */
const HOOK = `export LC_ALL=C
told=$(cat)
KNOWN='function recall(journal,  line, name) {
    while ((getline line <journal) > 0) if (match(line, /^\\{"kind":"package","name":"[^"]*"/)) {
      name = substr(line, 27, RLENGTH - 27)
      known[name] = 1
      if (line ~ /"before":"absent"/) ours[name] = 1
      if (line ~ /"removed":true/) removed[name] = 1
    }
  }'
refused=$(printf '%s\\n' "$told" | awk "$KNOWN"'
  BEGIN { recall(ARGV[1]); while ((getline line <ARGV[2]) > 0) allowed[line] = 1; ARGC = 1 }
  body && $3 == ">" && !($1 in allowed) && !($1 in ours) && !("*" in allowed) {
    print "mesosup: " ($5 == "**REMOVE**" ? "remove" : "downgrade") " " $1 " " $2
  }
  $0 == "" { body = 1 }' ${JOURNAL} "$2") || exit 1
[ -z "$refused" ] || { printf '%s\\n' "$refused"; exit 1; }
new=$(printf '%s\\n' "$told" | awk "$KNOWN"'
  BEGIN { recall(ARGV[1]); ARGC = 1 }
  body && (!($1 in known) || ($5 == "**REMOVE**" && !($1 in ours) && !($1 in removed))) {
    known[$1] = 1
    before = $2 == "-" ? "\\"absent\\"" : "{\\"version\\":\\"" $2 "\\"}"
    if ($5 == "**REMOVE**") { removed[$1] = 1; before = before ",\\"removed\\":true" }
    printf "{\\"kind\\":\\"package\\",\\"name\\":\\"%s\\",\\"before\\":%s}\\n", $1, before
  }
  $0 == "" { body = 1 }' ${JOURNAL}) || exit 1
[ -z "$new" ] || { printf '%s\\n' "$new" >>${JOURNAL} && sync ${JOURNAL}; } || exit 1
# apt said how much more there will be; it checks this for its downloads alone.
need=$(awk '/additional disk space will be used/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^[kMG]?B$/ && $(i + 2) == "of") {
  n = $i; gsub(",", "", n); f = $(i + 1) == "GB" ? 1000000 : $(i + 1) == "MB" ? 1000 : $(i + 1) == "kB" ? 1 : 0.001; printf "%.0f\\n", n * f } }' "$1" | tail -n 1)
free=$(stat -f -c '%a %S' /usr | { read -r blocks size; echo $((blocks * size / 1000)); })
[ "\${need:-0}" -lt "$free" ] || { echo "not enough free space: the packages need $((need / 1000)) MB in /usr, $((free / 1000)) MB are free"; exit 1; }
`;

/** Data that packages drop when they are purged. */
const KEPT = '/var/lib/zookeeper /var/log/zookeeper';

export const PACKAGES = `${LOCK_HOLDER}
holding=
package_items=
# Package scripts start services before their configuration is there; ours start them.
hold_starts() {
  [ -z "$holding" ] || return 0
  holding=yes
  if [ -e ${START_POLICY} ] && ! grep -qsxF '${START_POLICY_MARK}' ${START_POLICY}; then
    cp -a ${START_POLICY} ${START_POLICY_SAVED}
  fi
  printf '#!/bin/sh\\n%s\\nexit 101\\n' '${START_POLICY_MARK}' >${START_POLICY}.mesosup 2>"$error" &&
    chmod 0755 ${START_POLICY}.mesosup && mv -f ${START_POLICY}.mesosup ${START_POLICY} ||
    broke '${START_POLICY} could not be written'
}
release_starts() {
  holding=
  if grep -qsxF '${START_POLICY_MARK}' ${START_POLICY}; then
    if [ -e ${START_POLICY_SAVED} ]; then mv -f ${START_POLICY_SAVED} ${START_POLICY}; else rm -f ${START_POLICY}; fi
  fi
}
# Waits until nobody holds a lock of dpkg or apt.
wait_for_dpkg() {
  last=
  since=$(date +%s)
  while holder=$(held) && [ -n "$holder" ]; do
    if [ "$holder" != "$last" ]; then
      waiting "the dpkg lock is held by $holder"
      last=$holder
      since=$(date +%s)
    elif [ $(($(date +%s) - since)) -ge "$lock_seconds" ]; then
      fail dpkg-lock "$holder has held the dpkg lock for $lock_seconds seconds" 'See what it does there; once it has ended, run the same command again.'
    fi
    sleep 0.2
  done
}
apt() {
  cat >"$dir/hook" <<'MESOSUP_HOOK'
${HOOK}MESOSUP_HOOK
  printf '%s\\n' "$allowed" >"$dir/allowed"
  logged apt-get ${APT_CHOICES} -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \\
    -o Acquire::Retries=2 -o DPkg::Lock::Timeout=0 \\
    -o "DPkg::Pre-Install-Pkgs::=/bin/sh $dir/hook $output $dir/allowed" -o DPkg::Tools::Options::/bin/sh::Version=2 "$@"
}
wrote() { grep -Eq "$1" "$output"; }
locked() { wrote 'Could not get lock|Unable to (acquire|lock)|dpkg (frontend|status database) (lock )?(is )?(was )?locked'; }
# apt_lines PATTERN: those that matter to people
apt_lines() { grep -E "$1" "$output" | sort -u | tail -n 6; }
# What was not as promised: the last error of that kind, and both sums where apt tells them.
hash_lines() {
  awk '/^[EW]: .*([Hh]ash|unexpected size)/ { about = $0; sub(/^[EW]: (Failed to fetch )?/, "", about); expected = received = "" }
    /Hashes of (expected|received) file/ { which = $3 }
    /SHA256:/ { sub(/.*SHA256:/, ""); if (which == "expected") expected = $0; else received = $0 }
    END { print about; if (expected != "") print "promised SHA-256 " expected; if (received != "") print "received SHA-256 " received }' "$output"
}
# Lines with which apt and dpkg name the package at fault.
NAMING="s/^E: Package '\\([^']*\\)' has no installation candidate.*/\\1/p
s/^E: Unable to locate package \\([^ ]*\\).*/\\1/p
s/^E: Version '[^']*' for '\\([^']*\\)' was not found.*/\\1/p
s/^dpkg: error processing package \\([^ :]*\\).*/\\1/p
s/^ \\([^ ]*\\) : \\(Pre\\)\\{0,1\\}Depends: .*/\\1/p"
# blame WHAT: why apt failed, from what it wrote. The package that it names is at fault, not the first of the run.
blame() {
  if full "$output"; then no_space; fi
  if wrote '^mesosup: '; then
    fail removal "apt would $(sed -n 's/^mesosup: //p' "$output" | sort -u | sed -z 's/\\n\\(.\\)/ and \\1/g;s/\\n$//') for $1, which the plan does not say; nothing of it was done" \\
      "Run mesosup plan to see why. Then allow it by name: --allow-remove $(awk '$1 == "mesosup:" && !seen[$3]++ { printf "%s%s", sep, $3; sep = "," }' "$output")"
  fi
  for name in $(sed -n "$NAMING" "$output"); do
    case " $package_items" in
      *" $name="*)
        item=" $package_items"
        item=\${item##*" $name="}
        item=\${item%% *}
        set -- "$name"
        break ;;
    esac
  done
  if wrote 'EXPKEYSIG|KEYEXPIRED|EXPSIG'; then
    fail signature "$1: a repository's key has expired: $(apt_lines 'EXPKEYSIG|KEYEXPIRED|EXPSIG')" 'Ask the repository for its renewed key and name it in the cluster file (repository: key), or install a single package file by its SHA-256 (mesos: package).'
  fi
  if wrote 'NO_PUBKEY|BADSIG|REVKEYSIG|is not signed|unauthenticated'; then
    fail signature "$1: a repository's signature can't be verified: $(apt_lines 'NO_PUBKEY|BADSIG|REVKEYSIG|is not signed|unauthenticated')" "Check the repository's key in the cluster file (repository: key)."
  fi
  if wrote 'Hash Sum mismatch|unexpected size|Hashes of|hash mismatch'; then
    fail hash "$1: what was downloaded is not what was promised:
$(hash_lines)" 'Check the SHA-256 in the cluster file, or try again once the mirror is in order.'
  fi
  if wrote 'Temporary failure resolving|Could not resolve|Unable to connect|Could not connect|Connection (failed|refused|timed out)|No route to host'; then
    fail fetch "$1: a repository can't be reached: $(apt_lines 'resol|onnect|route')" "See to the host's network, its proxy settings or its mirrors."
  fi
  if wrote ' 40[0-9] | 50[0-9] |Failed to fetch'; then
    fail fetch "$1: a repository hasn't what it lists: $(apt_lines '^E:|^Err:|40[0-9] |50[0-9] ')" 'Try again once the mirror is in order, or name another in the cluster file.'
  fi
  if wrote 'Unable to locate package|was not found|no installation candidate'; then
    fail package "$1: no repository of the host has it: $(apt_lines 'Unable to locate|was not found|no installation candidate')" 'Check the version and the repository in the cluster file.'
  fi
  fail package "$1: $(apt_lines '^E:|^dpkg:|error| : (Pre)?Depends:' | head -c 2000)" "Mend what apt-get complains of on the host; the run's log has all its output."
}
update_lists() {
  updated=yes
  say 'fetching the package lists'
  while :; do
    wait_for_dpkg
    apt update && { rm -f ${LISTS_STALE}; return 0; }
    locked || return 1
    : >"$output"
    sleep 0.5
  done
}
# What an interrupted dpkg left is finished before anything else.
repair() {
  wait_for_dpkg
  hold_starts
  say 'finishing what an interrupted dpkg left'
  logged dpkg --force-confdef --force-confold --configure -a
  wait_for_dpkg
  apt -f install || blame 'what an interrupted dpkg left could not be finished'
  if dpkg-query -W -f '\${Status}\\n' | grep -Evq ' ok (installed|config-files|not-installed)$'; then
    logged dpkg --force-confdef --force-confold --configure -a || blame 'what an interrupted dpkg left could not be finished'
  fi
  release_starts
}
# settled WHAT COMMAND...: apt-get until it has done it; mends on the way what can be mended
settled() {
  what=$1
  shift
  mended=
  while :; do
    wait_for_dpkg
    mark=$(wc -l <"$output")
    apt "$@" && return 0
    if tail -n +"$((mark + 1))" "$output" >"$dir/last" && full "$dir/last"; then no_space; fi
    if grep -Eq 'Could not get lock|Unable to acquire the dpkg|is locked by another process' "$dir/last"; then
      sleep 0.5
    elif [ -z "$mended" ] && grep -Eq 'dpkg was interrupted|Unmet dependencies|fix-broken|-f install' "$dir/last"; then
      mended=yes
      repair
      hold_starts
    elif [ -z "$updated" ] && grep -Eq 'Unable to locate package|was not found|no installation candidate|404|Failed to fetch|Depends:' "$dir/last"; then
      # What was wrong with the old lists is no reason any more.
      : >"$output"
      update_lists
    else
      blame "$what"
    fi
  done
}
cache() { apt-cache "$@"; }
${NEWEST}
# install_packages WORD...: as apt-get knows them, or NAME=~VERSION for the version's beginning
install_packages() {
  hold_starts
  : >"$output"
  updated=
  if [ -e ${LISTS_STALE} ]; then update_lists; fi
  for word in "$@"; do
    case $word in
      *=~*)
        version=$(newest "\${word%%=~*}" "\${word#*=~}")
        if [ -z "$version" ] && [ -z "$updated" ]; then
          update_lists
          version=$(newest "\${word%%=~*}" "\${word#*=~}")
        fi
        word=\${word%%=~*}=\${version:-\${word#*=~}} ;;
    esac
    shift
    set -- "$@" "$word"
  done
  settled "$packages" install "$@"
  release_starts
}
# restore_packages NAME=VERSION...: what a run of ours removed, where apt still has that version
restore_packages() {
  : >"$output"
  updated=
  lost=
  for word in "$@"; do
    wait_for_dpkg
    apt install "$word" && continue
    if [ -z "$updated" ] && update_lists && apt install "$word"; then continue; fi
    lost="$lost\${lost:+, }\${word%%=*} \${word#*=}"
  done
  [ -z "$lost" ] || emit "{\\"event\\":\\"unrestored\\",\\"packages\\":\\"$(json "$lost")\\"}"
}
# present COMMAND NAME...: those that apt-get COMMAND has something to do with
present() {
  there=
  command=$1
  shift
  for name in "$@"; do
    status=$(dpkg-query -W -f '\${Status}' "$name" 2>/dev/null) || continue
    case $command:$status in *' not-installed' | remove:*' config-files') ;; *) there="$there $name" ;; esac
  done
}
# Data that packages take along when they are purged waits beside its place, or has its remover taken away.
shield() {
  rm -f /var/lib/docker/nuke-graph-directory.sh
  for data in ${KEPT}; do
    [ ! -d "$data" ] || mv -fT -- "$data" "\${data%/*}/.\${data##*/}.mesosup" || return
  done
}
unshield() {
  for data in ${KEPT}; do
    away=\${data%/*}/.\${data##*/}.mesosup
    if [ -d "$away" ] && [ ! -e "$data" ]; then mv -fT -- "$away" "$data"; fi
  done
}
# drop_packages remove|purge NAME...: with their configuration, so that nothing of it is left. Only purge drops data.
drop_packages() {
  how=$1
  shift
  : >"$output"
  updated=
  # The names are dpkg's own words.
  # shellcheck disable=SC2086
  if [ "$how" = remove ]; then
    present remove "$@"
    [ -z "$there" ] || settled "$packages" remove $there
    if ! shield 2>"$error"; then
      unshield
      say "packages keep their configuration, since their data can't be set aside: $(cat "$error")"
      return 0
    fi
  fi
  present purge "$@"
  # shellcheck disable=SC2086
  [ -z "$there" ] || settled "$packages" purge $there
  unshield
}
# check_file FILE DIGEST: it is what was promised
check_file() {
  got=$(sha256sum <"$1") && [ "\${got%% *}" = "$2" ] && return
  rm -f -- "$1"
  fail hash "$3 has the SHA-256 \${got%% *}, not $2" 'Check the SHA-256 in the cluster file, and that the file is the one that is meant.'
}
# fetch_package URL DIGEST FILE
fetch_package() {
  : >"$output"
  logged /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file "$1" "$3" "SHA256:$2" || blame "$1"
  check_file "$3" "$2" "$1"
}
# take_package DIGEST FILE: it was sent here before
take_package() {
  [ -f "${UPLOADS}/$1" ] || fail payload "the package file $1 was not sent to the host" 'Run the same command again.'
  cp -- "${UPLOADS}/$1" "$2" 2>"$error" || broke 'the package file could not be copied'
  check_file "$2" "$1" 'the package file that was sent'
}
`;
