# shellcheck shell=sh
# The first that a host runs: leaves what the login shell and its start-up files have set, and starts "$@" by /bin/sh.
# This file and the others here are sent as one line, with `; ` between their lines, and without comments: each line is
# a whole command. Login shells such as csh and fish read the line, so that it has no backslash, no ! and no single quote.
#   SYSTEM_PATH  see root-environment.ts
exec /usr/bin/env -i HOME="$HOME" PATH="$SYSTEM_PATH${PATH:+:$PATH}" SSH_CONNECTION="${SSH_CONNECTION-}" LC_ALL=C LANG=C /bin/sh -c "$@"
