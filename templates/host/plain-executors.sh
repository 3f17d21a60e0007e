# shellcheck shell=sh
# Finds executors of Mesos that can't use TLS.

# plain_executors: prints the process ids of Mesos' own executors that were started without TLS. They read their settings
# only when they start.
plain_executors() {
  for own in /proc/[0-9]*; do
    # The kernel cuts names after 15 characters.
    case $(cat "$own/comm" 2>/dev/null) in
      mesos-executor | mesos-default-e* | mesos-docker-ex*)
        tr '\0' '\n' <"$own/environ" 2>/dev/null | grep -q '^LIBPROCESS_SSL_ENABLED=true$' || echo "${own#/proc/}" ;;
    esac
  done
}
