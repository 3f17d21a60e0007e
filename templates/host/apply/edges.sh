# shellcheck shell=sh
# shellcheck disable=SC2034 # leader: read by drain.sh
# shellcheck disable=SC2154 # init: set by services.sh
# Waits for services on other hosts.
#   ZOOKEEPERS, MASTERS  members of the cluster, one `ADDRESS PORT` a line
#   AUTHORIZATION        the value of an HTTP header, or empty. It never leaves this shell except through pipes.
#   EDGE_SECONDS         seconds without a change after which a wait fails

# http METHOD PATH BODY ADDRESS PORT: prints the response with its headers
http() {
  { printf '%s %s HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n' "$1" "$2"
    case $2:$AUTHORIZATION in /redirect:* | *:) ;; *) printf 'Authorization: %s\r\n' "$AUTHORIZATION" ;; esac
    [ "$1" = GET ] || printf 'Content-Type: application/json\r\nContent-Length: %s\r\n' "${#3}"
    printf '\r\n%s' "$3"; } | ask_service "$4" "$5"
}

# zookeeper_quorum: succeeds if a ZooKeeper has a quorum, else sets $missing. ZooKeeper answers `srvr` with its mode
# only within a quorum.
zookeeper_quorum() {
  missing=
  while read -r address port; do
    case $(echo srvr | ask "$address" "$port") in
      *'Mode: '*) return 0 ;;
      '') missing="$missing${missing:+, }$address:$port does not answer" ;;
      *) missing="$missing${missing:+, }$address:$port has no quorum" ;;
    esac
  done <<END
$ZOOKEEPERS
END
  return 1
}

# follows: succeeds if the ZooKeeper of this host is in a quorum that another server leads, else sets $missing
follows() {
  port=$(printf '%s\n' "$ZOOKEEPERS" | sed -n '1s/.* //p')
  case $(echo srvr | ask 127.0.0.1 "$port") in *'Mode: follower'*) return 0 ;; esac
  missing='this server does not follow another one'
  return 1
}

# zookeeper_led: succeeds if a ZooKeeper leads a quorum, else sets $missing
zookeeper_led() {
  while read -r address port; do
    case $(echo srvr | ask "$address" "$port") in *'Mode: leader'*) return 0 ;; esac
  done <<END
$ZOOKEEPERS
END
  missing='no server leads'
  return 1
}

# step_down NAME UNIT INPUTS: stops the ZooKeeper of this host until the others have elected a leader, and starts it then.
# Started before, it could win their election, or take part in one that has to begin again when it restarts.
step_down() {
  if [ "$init" = upstart ]; then logged initctl stop "$1"; else logged systemctl stop "$2"; fi || failing "$1 does not stop" "$2"
  begun=$(date +%s)
  led=yes
  until zookeeper_led; do
    if [ $(($(date +%s) - begun)) -ge "$EDGE_SECONDS" ]; then led=; break; fi
    sleep 0.2
  done
  if [ "$init" = upstart ]; then logged initctl start "$1"; else logged systemctl start "$2"; fi || failing "$1 does not start" "$2"
  [ -n "$led" ] || fail wait "the other servers of ZooKeeper have elected no leader in $EDGE_SECONDS seconds" 'Check that they run and reach each other on ports 2888 and 3888. Then run the same command again.'
  wait_until follows 'the ZooKeeper of this host to follow the new leader' 'Read its log with "journalctl -u zookeeper". Then run the same command again.'
}

# master_elected: succeeds if a master leads, and sets $leader to its address and port, else sets $missing. `/redirect`
# of a master needs no credentials, and answers 307 if it knows the leader.
master_elected() {
  missing=
  leader=
  while read -r address port; do
    answer=$(http GET /redirect '' "$address" "$port")
    case $answer in
      'HTTP/1.'?' 307'*)
        leader=$(printf '%s\n' "$answer" | tr -d '\r' | sed -n 's|^[Ll]ocation: *\(https\{0,1\}:\)\{0,1\}//\([^/]*\).*|\2|p')
        return 0 ;;
      '') missing="$missing${missing:+, }$address:$port does not answer" ;;
      *) missing="$missing${missing:+, }$address:$port knows no leader" ;;
    esac
  done <<END
$MASTERS
END
  return 1
}

# wait_until CHECK WHAT REMEDY: waits until the check succeeds; fails when nothing has changed for too long. Checks less
# often the longer nothing changes, since a check starts a dozen processes and slows down the service.
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
    elif [ $(($(date +%s) - begun)) -ge "$EDGE_SECONDS" ]; then
      fail wait "nothing has changed for $EDGE_SECONDS seconds while waiting for $2: $missing" "$3"
    fi
    [ "$tenths" -ge 16 ] || tenths=$((tenths * 2))
    sleep "$((tenths / 10)).$((tenths % 10))"
  done
}

# wait_edge zookeeper-quorum|master-elected
wait_edge() {
  case $1 in
    zookeeper-quorum) wait_until zookeeper_quorum 'a ZooKeeper quorum' 'Check that ZooKeeper runs on more than half of its hosts, and that they reach each other on ports 2888 and 3888. Then run the same command again.' ;;
    master-elected) wait_until master_elected 'a leading Mesos master' 'Check that the masters run, and that they reach ZooKeeper and each other. Then run the same command again.' ;;
  esac
}
