# shellcheck shell=sh
# Root's part: reports that it runs, then reads a script and runs it. Checks the script's size first, so that an
# incomplete script never runs. See after-login.sh.
#   $1  the size of the script in bytes
#   $2  the line that reports on standard error and standard output that the script may come
umask 022
echo "$2" >&2
echo "$2"
# The x preserves line ends at the end of the script.
s=$(head -c "$1" && echo x)
[ "${#s}" -eq "$(($1 + 1))" ] || exit 1
set -- "${s%x}"
unset s
eval "set --; $1"
