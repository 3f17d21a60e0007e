# shellcheck shell=sh
# Sends a request to a TCP server with bash's /dev/tcp, for hosts without curl and wget.

# ask ADDRESS PORT: sends its standard input and prints the answer. Waits for $ask_seconds seconds, two by default. The
# request goes through a pipe only, so that credentials are in no argument list. Debian's bash reads ~/.bashrc even with
# -c when it believes that sshd started it; hence --norc.
ask() {
  # The inner bash expands these.
  # shellcheck disable=SC2016
  timeout "${ask_seconds:-2}" bash --norc --noprofile -c 'exec 3<>"/dev/tcp/$0/$1" && cat >&3 && exec cat <&3' "$1" "$2" 2>/dev/null
}
