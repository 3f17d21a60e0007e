import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const script = (name: string) => `. '${path.resolve('templates/host', name)}'`;
const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-services-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A host with Upstart, whose only service runs. */
const AROUND = `
init=upstart
systemctl() { echo "systemctl $*"; return 127; }
initctl() {
  case $1 in
    status) [ -e '${directory}/down' ] && echo "$2 stop/waiting" || echo "$2 start/running, process 7" ;;
    stop) : >'${directory}/down'; echo "$*" ;;
    start) rm -f '${directory}/down'; echo "$*" ;;
  esac
}
logged() { "$@"; }
say() { :; }
sleep() { :; }
fail() { echo "fails: $2"; exit 1; }
failing() { echo "fails: $1"; exit 1; }
`;

function run(text: string): string {
  rmSync(path.join(directory, 'down'), { force: true });
  try {
    return execFileSync('/bin/sh', ['-c', `${AROUND}${text}`], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

/** Another server, which leads from the third time that it is asked, and the one of this host, which follows. */
const STEP_DOWN = `exec 3>&1
${script('apply/edges.sh')}
ask() {
  case $1 in 127.0.0.1) echo 'Mode: follower'; return ;; esac
  echo asked >&3
  echo >>'${directory}/asked'
  [ "$(wc -l <'${directory}/asked')" -lt 3 ] || echo 'Mode: leader'
}
ZOOKEEPERS='10.0.0.1 2181'
rm -f '${directory}/asked'
`;

test.each(['upstart', 'systemd'])(
  'a server of ZooKeeper under %s starts again only when another one leads',
  (init) => {
    const output = run(`${STEP_DOWN}
init=${init} EDGE_SECONDS=60
systemctl() { echo "\${1} \${2%.service}"; }
step_down zookeeper zookeeper.service i1 && echo done`);
    expect(output).toBe('stop zookeeper\nasked\nasked\nasked\nstart zookeeper\ndone\n');
  },
);

test('a server of ZooKeeper starts again, too, if the others elect no leader', () => {
  const output = run(`${STEP_DOWN}
EDGE_SECONDS=0
step_down zookeeper zookeeper.service i1`);
  expect(output).toBe(
    'stop zookeeper\nasked\nstart zookeeper\nfails: the other servers of ZooKeeper have elected no leader in 0 seconds\n',
  );
});

test('the scheduler has stopped under Upstart before its state is copied', () => {
  const state = path.join(directory, 'state');
  mkdirSync(path.join(directory, 'payloads/current/bin'), { recursive: true });
  mkdirSync(state);
  writeFileSync(path.join(state, 'journal.1'), '');
  const program = '#!/bin/sh\necho "$2" >&3\n';
  writeFileSync(path.join(directory, 'payloads/current/bin/mesosup'), program, { mode: 0o755 });
  const output = run(`exec 3>&1
${script('apply/services.sh')}
PAYLOADS='${directory}/payloads' dir='${directory}' error='${directory}/error'
failing() { echo "fails: $1"; exit 1; }
move_state mesosup-scheduler mesosup-scheduler.service '${state}' /etc/zk`);
  expect(output).toBe('stop mesosup-scheduler\nbackup\nrestore\n');
  expect(existsSync(path.join(state, 'moved/journal.1'))).toBe(true);
});

test.skipIf(existsSync('/run/systemd/system'))(
  'a master stops under Upstart before its log is copied',
  () => {
    mkdirSync(path.join(directory, 'master/replicated_log'), { recursive: true });
    const output = run(`${script('copy-log.sh')}
MASTER_SERVICE=mesos-master
send_log '${directory}/master'`);
    expect(output).toMatch(/^[A-Za-z0-9+/=]{100,}$/);
    expect(existsSync(path.join(directory, 'down'))).toBe(true);
  },
);
