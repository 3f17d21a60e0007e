# shellcheck shell=sh
# shellcheck disable=SC2154 # output: set by run.sh; package_items: set by the steps
# shellcheck disable=SC2034 # item: read by events.sh
# Finds out why apt-get failed, from what it wrote to $output.

# wrote PATTERN: succeeds where apt wrote such a line
wrote() { grep -Eq "$1" "$output"; }

# locked: succeeds where another program held a lock
locked() { wrote 'Could not get lock|Unable to (acquire|lock)|dpkg (frontend|status database) (lock )?(is )?(was )?locked'; }

# apt_lines PATTERN: prints the last such lines
apt_lines() { grep -E "$1" "$output" | sort -u | tail -n 6; }

# hash_lines: prints the last error about a wrong checksum or size, and both checksums where apt gives them
hash_lines() {
  awk '/^[EW]: .*([Hh]ash|unexpected size)/ { about = $0; sub(/^[EW]: (Failed to fetch )?/, "", about); expected = received = "" }
    /Hashes of (expected|received) file/ { which = $3 }
    /SHA256:/ { sub(/.*SHA256:/, ""); if (which == "expected") expected = $0; else received = $0 }
    END { print about; if (expected != "") print "promised SHA-256 " expected; if (received != "") print "received SHA-256 " received }' "$output"
}

# sed commands that print the packages which apt and dpkg name as the cause.
NAMING="s/^E: Package '\([^']*\)' has no installation candidate.*/\1/p
s/^E: Unable to locate package \([^ ]*\).*/\1/p
s/^E: Version '[^']*' for '\([^']*\)' was not found.*/\1/p
s/^dpkg: error processing package \([^ :]*\).*/\1/p
s/^ \([^ ]*\) : \(Pre\)\{0,1\}Depends: .*/\1/p"

# blame WHAT: fails with the reason. Where apt names a package of the run, its item of the plan is the one that failed.
# $package_items holds `NAME=ITEM ` for each package.
blame() {
  if full "$output"; then no_space; fi
  if wrote '^mesosup: '; then
    fail removal "apt would $(sed -n 's/^mesosup: //p' "$output" | sort -u | sed -z 's/\n\(.\)/ and \1/g;s/\n$//') for $1, which the plan does not say; nothing of it was done" \
      "Run mesosup plan to see why. Then allow it by name: --allow-remove $(awk '$1 == "mesosup:" && !seen[$3]++ { printf "%s%s", sep, $3; sep = "," }' "$output")"
  fi
  # Names of packages hold no blanks.
  # shellcheck disable=SC2013
  for name in $(sed -n "$NAMING" "$output"); do
    case " $package_items" in
      *" $name="*)
        item=" $package_items"
        item=${item##*" $name="}
        item=${item%% *}
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
