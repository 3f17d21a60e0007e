# shellcheck shell=sh
# The first command on a host: discards the settings of the login shell and its start-up files, and starts "$@" with
# /bin/sh. The files in this directory are sent as one line, without comments, and with `; ` between their lines, so
# each line must be a complete command. Login shells like csh and fish read the line, so it must not contain a
# backslash, ! or a single quote.
#   SYSTEM_PATH  see root-environment.ts
exec /usr/bin/env -i HOME="$HOME" PATH="$SYSTEM_PATH${PATH:+:$PATH}" SSH_CONNECTION="${SSH_CONNECTION-}" LC_ALL=C LANG=C /bin/sh -c "$@"
