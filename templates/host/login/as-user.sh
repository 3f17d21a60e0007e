# shellcheck shell=sh
# The login user's part: reports that the login shell has started it, and becomes root. See after-login.sh.
#   $1        the text of become-plain.sh
#   $2 to $4  the text of as-root.sh and its arguments
#   $5        the line that reports the start
#   $6        the prompt of sudo
#   $7        the line that reports that there is no sudo
echo "$5" >&2
if [ "$(id -u)" -eq 0 ]; then exec /bin/sh -c "$1" sh "$2" "$3" "$4" "$SSH_CONNECTION"; fi
command -v sudo >/dev/null 2>&1 || { echo "$7" >&2; exit 127; }
exec sudo -H -S -p "$6" -- /bin/sh -c "$1" sh "$2" "$3" "$4" "$SSH_CONNECTION"
