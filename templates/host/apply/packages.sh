# shellcheck shell=sh
# shellcheck disable=SC2034 # updated: read by apt-get.sh
# shellcheck disable=SC2154 # output, error: set by run.sh; packages: set by the steps; updated: also by apt-get.sh
# Installs and removes packages.
#   PINS, INDEX, ONLY  see apt.sh
#   LISTS_STALE, START_POLICY, START_POLICY_MARK, START_POLICY_SAVED  see places.ts

holding=

# hold_starts: prevents package scripts from starting services before their configuration is written
hold_starts() {
  [ -z "$holding" ] || return 0
  holding=yes
  if [ -e "$START_POLICY" ] && ! grep -qsxF "$START_POLICY_MARK" "$START_POLICY"; then
    cp -a "$START_POLICY" "$START_POLICY_SAVED"
  fi
  if ! printf '#!/bin/sh\n%s\nexit 101\n' "$START_POLICY_MARK" >"$START_POLICY.mesosup" 2>"$error" ||
    ! chmod 0755 "$START_POLICY.mesosup" || ! mv -f "$START_POLICY.mesosup" "$START_POLICY"; then
    broke "$START_POLICY could not be written"
  fi
}

# release_starts: undoes hold_starts
release_starts() {
  holding=
  if grep -qsxF "$START_POLICY_MARK" "$START_POLICY"; then
    if [ -e "$START_POLICY_SAVED" ]; then mv -f "$START_POLICY_SAVED" "$START_POLICY"; else rm -f "$START_POLICY"; fi
  fi
}

# open_choice: prepares apt for PINS and for package files that were sent. The plan's lists of repositories are there.
open_choice() {
  [ -n "$PINS$INDEX$ONLY" ] || return 0
  : >"$dir/conf"
  parts=
  eval "$(apt-config shell parts Dir::Etc::SourceParts/d)"
  rm -rf "$dir/parts"
  mkdir -p "$dir/parts" "$dir/files"
  [ ! -d "$parts" ] || cp -RLp "$parts/." "$dir/parts/"
  choose_packages "$dir/conf" "$dir/parts"
  printf '%s\n' "$INDEX" | sed -n 's|^Filename: \./\([0-9a-f]*\)\.deb$|\1|p' >"$dir/wanted"
  while read -r digest; do take_package "$digest" "$dir/files/$digest.deb"; done <"$dir/wanted"
}

# install_packages WORD...: arguments of apt-get install, or NAME=~VERSION for a version with that prefix
install_packages() {
  hold_starts
  : >"$output"
  updated=
  open_choice
  # Versions that other hosts have may be missing in the lists of this host.
  if [ -e "$LISTS_STALE" ] || [ -n "$PINS$INDEX$ONLY" ]; then update_lists; fi
  for word in "$@"; do
    case $word in
      *=~*)
        version=$(newest "${word%%=~*}" "${word#*=~}")
        if [ -z "$version" ] && [ -z "$updated" ]; then
          update_lists
          version=$(newest "${word%%=~*}" "${word#*=~}")
        fi
        word=${word%%=~*}=${version:-${word#*=~}} ;;
    esac
    shift
    set -- "$@" "$word"
  done
  settled "$packages" install "$@"
  release_starts
}

# restore_packages NAME=VERSION...: installs packages that an earlier run removed, if apt still has the version
restore_packages() {
  : >"$output"
  updated=
  lost=
  for word in "$@"; do
    wait_for_dpkg
    apt install "$word" && continue
    if [ -z "$updated" ] && update_lists && apt install "$word"; then continue; fi
    lost="$lost${lost:+, }${word%%=*} ${word#*=}"
  done
  [ -z "$lost" ] || emit "{\"event\":\"unrestored\",\"packages\":\"$(json "$lost")\"}"
}

# present remove|purge NAME...: sets $there to the packages that this command of apt-get would change
present() {
  there=
  command=$1
  shift
  for name in "$@"; do
    # The braces are dpkg-query's.
    # shellcheck disable=SC2016
    status=$(dpkg-query -W -f '${Status}' "$name" 2>/dev/null) || continue
    case $command:$status in *' not-installed' | remove:*' config-files') ;; *) there="$there $name" ;; esac
  done
}

# Data that a purge of the packages deletes.
KEPT='/var/lib/zookeeper /var/log/zookeeper'

# shield: protects that data from a purge: moves it aside, or removes the script that deletes it
shield() {
  rm -f /var/lib/docker/nuke-graph-directory.sh
  for data in $KEPT; do
    [ ! -d "$data" ] || mv -fT -- "$data" "${data%/*}/.${data##*/}.mesosup" || return
  done
}

# unshield: moves the data back
unshield() {
  for data in $KEPT; do
    away=${data%/*}/.${data##*/}.mesosup
    if [ -d "$away" ] && [ ! -e "$data" ]; then mv -fT -- "$away" "$data"; fi
  done
}

# drop_packages remove|purge NAME...: removes packages with their configuration; only `purge` deletes their data
drop_packages() {
  how=$1
  shift
  : >"$output"
  updated=
  # Names of packages contain no blanks.
  # shellcheck disable=SC2086
  if [ "$how" = remove ]; then
    present remove "$@"
    [ -z "$there" ] || settled "$packages" remove $there
    if ! shield 2>"$error"; then
      unshield
      say "packages keep their configuration, because their data can't be moved aside: $(cat "$error")"
      return 0
    fi
  fi
  present purge "$@"
  # shellcheck disable=SC2086 # As above.
  [ -z "$there" ] || settled "$packages" purge $there
  unshield
}
