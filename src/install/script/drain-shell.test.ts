import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';

const SCRIPT = path.resolve('templates/host/apply/drain.sh');
const EDGES = path.resolve('templates/host/apply/edges.sh');

/** Stands in for the other scripts. A clock that only sleeps move; masters and schedulers answer by functions. */
const AROUND = `
. '${EDGES}'; . '${SCRIPT}'
MOVE_SECONDS=60 EDGE_SECONDS=300 SCHEDULERS='s 1' MASTERS='m 1' AGENT='a 1' leader=old:1 id=A0 now=0
date() { echo $now; }
sleep() { now=$((now + 10)); step; }
step() { :; }
say() { echo "say $*"; }
waiting() { echo "waits for $*"; }
check_services() { :; }
fail() { echo "fails: $2"; exit 1; }
readlink() { echo /meta/slaves/A0; }
`;

function run(script: string): string {
  try {
    return execFileSync('/bin/sh', ['-c', `${AROUND}${script}`], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const moving = (fields: string) => `
to_scheduler() { status=200; answer='{"agentId":"A0","moving":2,"staying":0,${fields}}'; }
move_tasks; echo "after $now"`;

test('the drain waits longer for replacements that are starting than for room', () => {
  expect(run(moving('"ending":0,"starting":0,"waiting":["/a"]'))).toContain(
    'gave up after 60 seconds without a change: the scheduler to move 2 tasks, of which 0 are ending; 0 replacements are starting; no room yet for /a\nafter 60',
  );
  expect(run(moving('"ending":0,"starting":2,"waiting":[]'))).toContain('after 300');
  expect(run(`MOVE_SECONDS=400${moving('"ending":0,"starting":2,"waiting":[]')}`)).toContain('after 400');
  // A scheduler of an earlier release.
  expect(run(moving('"ending":0,"waiting":[]'))).toContain('of which 0 are ending\nafter 60');
});

test('the end of a drain is seen at the next leading master', () => {
  const output = run(`
agent_executors() { echo 0; }
http() {
  case $2:$4 in
    /redirect:*) printf 'HTTP/1.1 307 x\\r\\nLocation: //new:1\\r\\n' ;;
    *:new) echo '{"slaves":[{"id":"A0","hostname":"x","drain_info":{"state":"DRAINED"}}]}' ;;
  esac
}
emptied && echo "is empty, says $leader"`);
  expect(output).toBe('is empty, says new:1\n');
});

const BACK = `
calls=
agent_state() { drain=deactivated; }
master_elected() { leader=m:1; }
call_for_agent() { status=200; echo "$1 at $now"; }
`;

test('an agent is put back into service only when a scheduler gives it tasks again', () => {
  const silent = `to_scheduler() { status=; }`;
  expect(run(`${BACK}${silent}; fill_agent latest`)).toContain('fails: nothing has changed for 300 seconds');
  expect(run(`${BACK}${silent}; fill_agent latest`)).not.toContain('REACTIVATE_AGENT');
  const restarting = `to_scheduler() { status=503; [ $now -lt 30 ] || status=204; }`;
  expect(run(`${BACK}${restarting}; fill_agent latest`)).toContain('REACTIVATE_AGENT at 30');
  expect(run(`${BACK} to_scheduler() { status=404; }; fill_agent latest`)).toContain('REACTIVATE_AGENT at 0');
});

test('an agent that an upgrade has drained is marked until it is put back', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'mesosup-drain-')), 'agent-returns');
  const around = `${BACK}AGENT_RETURNS='${file}'
agent_executors() { echo 0; }
move_tasks() { :; }
emptied() { return 0; }
to_scheduler() { status=204; }`;
  expect(run(`${around}; empty_agent latest; ls '${file}' 2>/dev/null || echo none`)).toContain('none');
  expect(run(`${around}; empty_agent latest returns; cat '${file}'`)).toMatch(/DRAIN_AGENT at 0\nA0\n$/);
  // Then its owner drains it.
  expect(run(`${around}; empty_agent latest; ls '${file}' 2>/dev/null || echo none`)).toContain('none');
  expect(run(`${around}; empty_agent latest returns; ls '${file}'`)).toContain(file);
  expect(run(`${around}; fill_agent latest; ls '${file}' 2>/dev/null || echo none`)).toContain('none');
});
