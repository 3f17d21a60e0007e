# shellcheck shell=sh
# Runs root's part in a fixed environment, without the variables of sudo and PAM. run/start.sh uses the same environment
# for runs. See after-login.sh.
# Programs are called by their paths until then, since bash as /bin/sh imports functions from the environment.
#   $1         the text of as-root.sh
#   $2 and $3  its arguments
#   $4         SSH_CONNECTION as sshd set it: `client port server port`, where `server` is the address of the host that
#              the connection came to; empty without SSH. Under another name, by which bash does not believe that sshd
#              started it.
#   SYSTEM_PATH  see root-environment.ts
cd /
HOME=~root
exec /usr/bin/env -i HOME="$HOME" USER=root LOGNAME=root SHELL=/bin/sh PATH="$SYSTEM_PATH" LC_ALL=C LANG=C MESOSUP_SSH_CONNECTION="$4" /bin/sh -c "$1" sh "$2" "$3"
