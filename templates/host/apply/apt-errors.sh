# shellcheck shell=sh
# shellcheck disable=SC2154 # output: set by run.sh; package_items: set by the steps
# shellcheck disable=SC2034 # item: read by events.sh
# Finds the reason why apt-get failed in its output, $output.

# wrote PATTERN: succeeds if apt wrote a matching line
wrote() { grep -Eq "$1" "$output"; }

# locked: succeeds if another program held a lock
locked() { wrote 'Could not get lock|Unable to (acquire|lock)|dpkg (frontend|status database) (lock )?(is )?(was )?locked'; }

# apt_lines PATTERN: prints the last matching lines
apt_lines() { grep -E "$1" "$output" | sort -u | tail -n 6; }

# hash_lines: prints the last error about a wrong checksum or size, and both checksums if apt wrote them
hash_lines() {
  awk '/^[EW]: .*([Hh]ash|unexpected size)/ { about = $0; sub(/^[EW]: (Failed to fetch )?/, "", about); expected = received = "" }
    /Hashes of (expected|received) file/ { which = $3 }
    /SHA256:/ { sub(/.*SHA256:/, ""); if (which == "expected") expected = $0; else received = $0 }
    END { print about; if (expected != "") print "expected SHA-256 " expected; if (received != "") print "received SHA-256 " received }' "$output"
}

# sed commands that print the packages that apt and dpkg name as the cause.
NAMING="s/^E: Package '\([^']*\)' has no installation candidate.*/\1/p
s/^E: Unable to locate package \([^ ]*\).*/\1/p
s/^E: Version '[^']*' for '\([^']*\)' was not found.*/\1/p
s/^dpkg: error processing package \([^ :]*\).*/\1/p
s/^ \([^ ]*\) : \(Pre\)\{0,1\}Depends: .*/\1/p"

# blame WHAT: fails with the reason. If apt names a package of the run, the package's item of the plan fails.
# $package_items contains `NAME=ITEM ` for each package.
blame() {
  if full "$output"; then no_space; fi
  if wrote '^mesosup: '; then
    fail removal "apt would $(sed -n 's/^mesosup: //p' "$output" | sort -u | sed -z 's/\n\(.\)/ and \1/g;s/\n$//') for $1, which is not in the plan; apt changed nothing" \
      "Run mesosup plan to see why. Then allow it with: --allow-remove $(awk '$1 == "mesosup:" && !seen[$3]++ { printf "%s%s", sep, $3; sep = "," }' "$output")"
  fi
  if wrote '^versions\.lock: '; then
    fail version "$1: apt would not install what other hosts have: $(sed -n 's/^versions\.lock: //p' "$output" | sort -u | head -n 6 | sed -z 's/\n\(.\)/; \1/g;s/\n$//'); apt changed nothing" \
      'Set a repository or mirror that keeps old versions, or take the newer versions with --update.'
  fi
  # Names of packages contain no blanks.
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
    fail signature "$1: a repository's key has expired: $(apt_lines 'EXPKEYSIG|KEYEXPIRED|EXPSIG')" 'Ask the repository for its renewed key and set it in the cluster file (repository: key), or install a single package file by its SHA-256 (mesos: package).'
  fi
  if wrote 'NO_PUBKEY|BADSIG|REVKEYSIG|is not signed|unauthenticated'; then
    fail signature "$1: a repository's signature can't be verified: $(apt_lines 'NO_PUBKEY|BADSIG|REVKEYSIG|is not signed|unauthenticated')" "Check the repository's key in the cluster file (repository: key)."
  fi
  if wrote 'Hash Sum mismatch|unexpected size|Hashes of|hash mismatch'; then
    fail hash "$1: the download has the wrong checksum or size:
$(hash_lines)" 'Check the SHA-256 in the cluster file, or try again when the mirror is fixed.'
  fi
  if wrote 'Temporary failure resolving|Could not resolve|Unable to connect|Could not connect|Connection (failed|refused|timed out)|No route to host'; then
    fail fetch "$1: a repository can't be reached: $(apt_lines 'resol|onnect|route')" "Check the host's network, its proxy settings and its mirrors."
  fi
  if wrote ' 40[0-9] | 50[0-9] |Failed to fetch'; then
    fail fetch "$1: a repository lacks a file that it lists: $(apt_lines '^E:|^Err:|40[0-9] |50[0-9] ')" 'Try again when the mirror is fixed, or set another mirror in the cluster file.'
  fi
  if wrote 'Unable to locate package|was not found|no installation candidate'; then
    fail package "$1: no repository of the host has it: $(apt_lines 'Unable to locate|was not found|no installation candidate')" 'Check the version and the repository in the cluster file.'
  fi
  fail package "$1: $(apt_lines '^E:|^dpkg:|error| : (Pre)?Depends:' | head -c 2000)" "Fix the problem that apt-get reports on the host. The run's log has its full output."
}
