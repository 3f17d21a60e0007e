# shellcheck shell=sh
# shellcheck disable=SC2154 # address: set by probe.sh
# Probes the health of the services of the host.
#   HOST_ADDRESS       the address on which they listen, if known
#   ADDRESS_FILES      files that set the address flag of Mesos, one path a line
#   ADDRESS_VARIABLES  files that may set MESOS_IP, one path a line
#   ZOOKEEPER_PORT, MASTER_PORT, AGENT_PORT, SCHEDULER_PORT
#   LB_HOST, LB_PORT   the address of the load balancer's metrics
#   MASTER_METRICS, MASTER_VERSION, AGENT_METRICS, AGENT_VERSION, SCHEDULER_INFO, LB_METRICS  HTTP requests

# own_address ADDRESS: prints the address on which the host's services listen, by the same rule as chooseAddress. An
# address that is translated on the way to the host (NAT) is not the host's own.
own_address() {
  own=" $(hostname -I) "
  # Paths and addresses contain no blanks.
  # shellcheck disable=SC2046,SC2086
  set -- $1 $(cat $ADDRESS_FILES; sed -n 's/^MESOS_IP="\(.*\)"$/\1/p' $ADDRESS_VARIABLES; echo "${MESOSUP_SSH_CONNECTION-}" | cut -d ' ' -f 3)
  for one; do case $own in *" $one "*) echo "$one"; return ;; esac; done
  ip -4 route get 192.0.2.1 | awk '{ for (i = 1; i < NF; i++) if ($i == "src") print $(i + 1) }'
}

# request NAME PORT REQUEST: adds the response to an HTTP request to the probe's answer
request() { printf '%s' "$3" | asked "$address" "$2" | member "$1"; }

zookeeper() { echo srvr | asked -z "$address" "$ZOOKEEPER_PORT" | member zookeeper; }
master_metrics() { request masterMetrics "$MASTER_PORT" "$MASTER_METRICS"; }
master_version() { request masterVersion "$MASTER_PORT" "$MASTER_VERSION"; }
agent_metrics() { request agentMetrics "$AGENT_PORT" "$AGENT_METRICS"; }
agent_version() { request agentVersion "$AGENT_PORT" "$AGENT_VERSION"; }
scheduler() { request scheduler "$SCHEDULER_PORT" "$SCHEDULER_INFO"; }
lb() { printf '%s' "$LB_METRICS" | asked "$LB_HOST" "$LB_PORT" | member lb; }
