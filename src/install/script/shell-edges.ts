/** The part of an apply script that waits for what must be true elsewhere, and that empties an agent of its tasks. */

import { quote } from '../../hosts/quote.ts';
import { ASK } from './http-request.ts';

/** A server within the cluster, as its members reach it. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const pairs = (endpoints: readonly Endpoint[]) =>
  quote(endpoints.map(({ address, port }) => `${address} ${port}`).join('\n'));

/** `authorization` is a header's value, or empty. It stays in this shell: only pipes carry it. */
export function edges(
  zookeeper: readonly Endpoint[],
  masters: readonly Endpoint[],
  agent: Endpoint | undefined,
  authorization: string,
): string {
  return `${ASK}zookeepers=${pairs(zookeeper)}
masters=${pairs(masters)}
agent=${pairs(agent ? [agent] : [])}
authorization=${quote(authorization)}
# http METHOD PATH BODY ADDRESS PORT: the whole answer
http() {
  { printf '%s %s HTTP/1.0\\r\\nHost: localhost\\r\\nAccept: application/json\\r\\n' "$1" "$2"
    case $2:$authorization in /redirect:* | *:) ;; *) printf 'Authorization: %s\\r\\n' "$authorization" ;; esac
    [ "$1" = GET ] || printf 'Content-Type: application/json\\r\\nContent-Length: %s\\r\\n' "\${#3}"
    printf '\\r\\n%s' "$3"; } | ask "$4" "$5"
}
${WAITS}${DRAIN}`;
}

/**
 * Each check sets $missing when what it looks for isn't there. ZooKeeper tells its mode to \`srvr\` only within a quorum;
 * \`/redirect\` of a master, open to all, answers 307 once it knows who leads.
 */
const WAITS = `zookeeper_quorum() {
  missing=
  while read -r address port; do
    case $(echo srvr | ask "$address" "$port") in
      *'Mode: '*) return 0 ;;
      '') missing="$missing\${missing:+, }$address:$port does not answer" ;;
      *) missing="$missing\${missing:+, }$address:$port has no quorum" ;;
    esac
  done <<END
$zookeepers
END
  return 1
}
master_elected() {
  missing=
  leader=
  while read -r address port; do
    answer=$(http GET /redirect '' "$address" "$port")
    case $answer in
      'HTTP/1.'?' 307'*)
        leader=$(printf '%s\\n' "$answer" | tr -d '\\r' | sed -n 's|^[Ll]ocation: *\\(https\\{0,1\\}:\\)\\{0,1\\}//\\([^/]*\\).*|\\2|p')
        return 0 ;;
      '') missing="$missing\${missing:+, }$address:$port does not answer" ;;
      *) missing="$missing\${missing:+, }$address:$port knows no leader" ;;
    esac
  done <<END
$masters
END
  return 1
}
# wait_until CHECK WHAT MEND: without any progress only for so long. The longer nothing changes, the rarer it looks: a
# look takes a dozen processes, and what is waited for may need the same processors.
wait_until() {
  last=
  begun=$(date +%s)
  tenths=1
  until "$1"; do
    check_services
    if [ "$missing" != "$last" ]; then
      waiting "$2: $missing"
      last=$missing
      begun=$(date +%s)
      tenths=1
    elif [ $(($(date +%s) - begun)) -ge "$edge_seconds" ]; then
      fail wait "for $edge_seconds seconds nothing has changed while waiting for $2: $missing" "$3"
    fi
    [ "$tenths" -ge 16 ] || tenths=$((tenths * 2))
    sleep "$((tenths / 10)).$((tenths % 10))"
  done
}
wait_edge() {
  case $1 in
    zookeeper-quorum) wait_until zookeeper_quorum 'a ZooKeeper quorum' 'See that ZooKeeper runs on more than half of its hosts, and that they reach each other on its ports 2888 and 3888; then run the same command again.' ;;
    master-elected) wait_until master_elected 'a leading Mesos master' 'See that the masters run, and that they reach ZooKeeper and each other; then run the same command again.' ;;
  esac
}
`;

const DRAIN = `# agent_tasks: how many of its tasks are not over; nothing when it can't be asked
agent_tasks() {
  # Two words.
  # shellcheck disable=SC2086
  [ -z "$agent" ] || http GET /metrics/snapshot '' $agent | awk -v RS=',' -F : '
    $1 ~ /slave\\/tasks_(staging|starting|running|killing)"$/ { seen = 1; sum += $2 } END { if (seen) print sum + 0 }'
}
# to_leader METHOD PATH BODY: asks the leading master; the status goes to $status
to_leader() {
  # A call that orders something is made once: a slow master is waited for.
  ask_seconds=30
  answer=$(http "$1" "$2" "$3" "\${leader%:*}" "\${leader##*:}")
  ask_seconds=2
  status=\${answer#HTTP/1.? }
  status=\${status%%[!0-9]*}
}
drained() {
  tasks=$(agent_tasks)
  [ "$tasks" != 0 ] || return 0
  to_leader GET "/slaves?slave_id=$id" ''
  # The agent's own object alone: it begins with its id and host name, as does the next one's.
  own=\${answer#*"\\"id\\":\\"$id\\",\\"hostname\\":"}
  case \${own%%'","hostname":'*} in *'"state":"DRAINED"'*) return 0 ;; esac
  if [ -n "$tasks" ]; then missing="$tasks of them still run"; else missing='it does not say how many tasks it has'; fi
  return 1
}
# replace_agent NAME UNIT LATEST: LATEST is the link to the agent's id
replace_agent() {
  id=$(readlink "$3")
  id=\${id##*/}
  if [ -n "$id" ]; then
    tasks=$(agent_tasks)
    if master_elected; then
      to_leader POST /api/v1 "{\\"type\\":\\"DRAIN_AGENT\\",\\"drain_agent\\":{\\"agent_id\\":{\\"value\\":\\"$id\\"}}}"
      case $status in
        200 | 202)
          say "draining agent $id"
          [ -z "$tasks" ] || wait_until drained "the agent's tasks to end" 'See why they do not end; then run the same command again.' ;;
        *)
          # One that the master doesn't know any more has nothing to lose.
          case $status:$answer in
            400:*nknown*agent* | 404:*) ;;
            *) [ "$tasks" = 0 ] || fail drain "the master at $leader did not drain the agent ($status): $(printf '%s\\n' "$answer" | tail -n 1)" 'End its tasks, or drain it by hand, and run the same command again.' ;;
          esac ;;
      esac
    elif [ "$tasks" != 0 ]; then
      fail drain "no master answers that could drain the agent: $missing" 'Bring the masters up, and run the same command again.'
    fi
  fi
  stop_service "$1" "$2"
  rm -f -- "$3" 2>"$error" || broke "$3 could not be removed"
  if [ -n "$id" ] && [ -n "$leader" ]; then
    to_leader POST /api/v1 "{\\"type\\":\\"MARK_AGENT_GONE\\",\\"mark_agent_gone\\":{\\"agent_id\\":{\\"value\\":\\"$id\\"}}}"
    say "agent $id was marked gone ($status)"
  fi
}
`;
