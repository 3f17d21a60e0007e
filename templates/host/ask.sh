# shellcheck shell=sh
# Sends a request to a server: over TCP with bash's /dev/tcp, for hosts without curl and wget, or over TLS with openssl.

# Files of TLS; src/install/wanted/tls.ts has the same names.
tls_files=/etc/mesosup/tls

# ask ADDRESS PORT: sends its standard input and prints the answer. Waits for $ask_seconds seconds, two by default. The
# request goes through a pipe only, so that credentials are in no argument list. Debian's bash reads ~/.bashrc even with
# -c when it believes that sshd started it; hence --norc.
ask() {
  # The inner bash expands these.
  # shellcheck disable=SC2016
  timeout "${ask_seconds:-2}" bash --norc --noprofile -c 'exec 3<>"/dev/tcp/$0/$1" && cat >&3 && exec cat <&3' "$1" "$2" 2>/dev/null
}

# ask_service ADDRESS PORT: like ask, for a service of the cluster: with TLS where clients on this host use it, and with
# a certificate of this host, which services need.
ask_service() {
  if [ ! -e "$tls_files/in-use" ]; then
    ask "$@"
    return
  fi
  # What the certificate of the server has to be for.
  case $1 in
    *:*) set -- "$1" "$2" "[$1]" -verify_ip ;;
    *[!0-9.]*) set -- "$1" "$2" "$1" -verify_hostname ;;
    *) set -- "$1" "$2" "$1" -verify_ip ;;
  esac
  # A host has a key for each of its services.
  for own in "$tls_files"/*-key.pem; do
    [ -f "$own" ] && break
  done
  if [ -f "$own" ]; then
    timeout "${ask_seconds:-2}" openssl s_client -quiet -connect "$3:$2" -CAfile "$tls_files/ca.pem" -verify_return_error "$4" "$1" -cert "${own%-key.pem}.pem" -key "$own" 2>/dev/null
  else
    timeout "${ask_seconds:-2}" openssl s_client -quiet -connect "$3:$2" -CAfile "$tls_files/ca.pem" -verify_return_error "$4" "$1" 2>/dev/null
  fi
}
