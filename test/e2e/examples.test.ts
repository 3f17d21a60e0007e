/**
 * Runs every example of the help texts. Examples that only read, and those of the demo, do their work. For examples
 * with hosts, h1, h2 and h3 are names of this machine at a port without a server: the command parses its flags, loads
 * the spec and tries to connect; `install.test.ts` does the same with real hosts.
 */
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { referenceOf } from '../../src/cli/reference/reference.ts';
import { ROOT_EXAMPLES } from '../../src/cli/reference/root-examples.ts';
import { quote } from '../../src/hosts/quote.ts';
import { docCommand, docCommands } from '../support/docs.ts';
import { mesosup, root, typed } from './demo-cluster.ts';

interface Ending {
  readonly code: number | readonly number[];
  /** Matches the output on both streams. */
  readonly says: RegExp;
}

const UNREACHABLE: Ending = { code: 1, says: /✖ h1: no SSH server is listening at 127\.0\.0\.1:\d+/ };
/** There is no terminal for the confirmation, so nothing is changed, even if this machine passes preflight. */
const THIS_MACHINE: Ending = { code: [1, 2], says: /Nothing was changed: no host is usable|add --yes/ };
const REACHED_ITS_FILE: Ending = { code: 2, says: /plan\.json can't be read: there is no such file/ };

/** No scheduler is installed on this machine; `test/contract/scheduler-{backup,import}.test.ts` test with a scheduler. */
const NO_STATE: Ending = { code: 1, says: /\/var\/lib\/mesosup\/scheduler contains no scheduler state/ };
const NO_BACKUP: Ending = { code: 2, says: /state\.backup can't be read: there is no such file/ };
const NO_CONTEXT: Ending = { code: 2, says: /context in use is \\?"demo\\?", which is not/i };
const NO_MARATHON: Ending = { code: 1, says: /no Marathon answers at http:\/\/marathon\.example:8080/ };
const NO_CREDENTIALS: Ending = { code: 2, says: /--credentials-file can't be read: ENOENT/ };
const NO_ZK_FILE: Ending = { code: 2, says: /--zk: ENOENT/ };

/** The cluster has the host h1 only. `hosts/commands-hosts.test.ts` and `hosts/install-missing.test.ts` have more. */
const NO_HOST: Ending = { code: 2, says: /mesosup has no host "h\d"; did you mean "h1"\?/ };
const NO_NEW_HOST: Ending = { code: 1, says: /✖ h4: [\s\S]*Nothing was changed/ };
/** `hosts/certificates.test.ts` has a cluster with TLS. */
const NO_TLS: Ending = { code: 2, says: /mesosup has no TLS, so it has no certificates/ };
/** `hosts/secrets.test.ts` has an installed cluster. */
const NO_SECRETS: Ending = { code: 1, says: /has no secrets of mesosup/ };
const NO_SSH: Ending = { code: 255, says: /Connection refused/ };

/** Until Ctrl-C. No scheduler answers, so haproxy is not started. */
const BALANCES: Ending = { code: 124, says: /SIGINT: stopping/ };

/** In an order in which each example finds the results that it needs. */
const EXAMPLES: Readonly<Record<string, Ending>> = {
  // Before any that installs.
  'mesosup secrets list': NO_SECRETS,
  'mesosup secrets list -o wide': NO_SECRETS,
  'mesosup secrets list -o name': NO_SECRETS,
  'mesosup secrets rotate --all --dry-run': NO_SECRETS,
  'mesosup secrets rotate agent operator --yes': NO_SECRETS,
  'mesosup certs show': NO_TLS,
  'mesosup certs show -o json': NO_TLS,
  'mesosup certs renew --dry-run': NO_TLS,
  'mesosup certs renew --yes': NO_TLS,
  'mesosup certs rotate-ca --dry-run': NO_TLS,
  'mesosup certs rotate-ca --yes': NO_TLS,
  'mesosup certs trust > lab-ca.pem': NO_TLS,
  'mesosup certs trust --install': NO_TLS,
  'mesosup certs enable --dry-run': NO_SECRETS,
  'mesosup certs enable --yes': NO_SECRETS,
  [docCommand('README.md', 'mesosup demo')]: { code: 130, says: /GET x answered "7"/ },
  'mesosup demo --once': { code: 0, says: /GET x answered "7"/ },
  'mesosup demo --detach': { code: 0, says: /End it with: mesosup demo down/ },
  'mesosup context list': { code: 0, says: /demo +running demo +http/ },
  'mesosup context list -o json': { code: 0, says: /"name": "demo"/ },
  'mesosup context show': { code: 0, says: /Context +demo\n/ },
  'mesosup context show demo': { code: 0, says: /Context +demo\n/ },
  'mesosup context use demo': { code: 0, says: /Commands now use demo/ },
  'mesosup context add local http://127.0.0.1:8080': { code: 0, says: /Added local/ },
  'mesosup context add prod https://s1.example:8443 https://s2.example:8443 --user anna --ca ca.pem': {
    code: 2,
    says: /--ca ca\.pem can't be read: there is no such file/,
  },
  'mesosup context add ci https://s1.example:8443 --token --use < token.txt': {
    code: 2,
    says: /token\.txt/,
  },
  'mesosup context remove local': { code: 0, says: /Removed local/ },
  'mesosup credentials': { code: 0, says: /# demo needs no credentials/ },
  'mesosup lb check': { code: [0, 1], says: /\/\S+: port \d+|problem/ },
  'mesosup lb check --group external --json': { code: 0, says: /"services": \[\]/ },
  'mesosup lb run --url http://scheduler1:8080,http://scheduler2:8080': BALANCES,
  'mesosup lb run --group external --certificate-dir /etc/mesosup/certificates': BALANCES,
  'mesosup lb run --stop': { code: 0, says: /^$/ },
  'mesosup api GET /v2/info': { code: 0, says: /"frameworkId"/ },
  'mesosup api GET "/v2/apps?embed=apps.tasks"': { code: 0, says: /"multidis|\/multidis/ },
  'mesosup api POST /v2/apps -d @app.json': { code: 0, says: /"id":"\/web"/ },
  'echo \'{"instances": 3}\' | mesosup api PUT /v2/apps/web -d -': { code: [0, 1], says: /deployment/i },
  [docCommand('docs/apps.md', 'mesosup app run johncosta/redis --port 6379 --instances 2')]: {
    code: 0,
    says: /Started \/redis: 2 instances/,
  },
  'mesosup app run johncosta/redis --id shop/cache --port 6379 --check tcp --cpus 0.1 --constraint hostname:UNIQUE':
    { code: 0, says: /1 healthy[\s\S]*Started \/shop\/cache|Started \/shop\/cache/ },
  'mesosup app run johncosta/redis --id sleeper --cpus 0.1 --cmd "sleep 600" --no-wait': {
    code: 0,
    says: /Started deployment [\w-]+\. Follow it with: mesosup app deployments watch/,
  },
  [docCommand('docs/apps.md', 'mesosup app list')]: { code: 0, says: /^\/shop\/cache +\w+ +1\/1/m },
  'mesosup app list shop -o wide': { code: 0, says: /VERSION\n\/shop\/cache/ },
  'mesosup app list -o name': { code: 0, says: /^\/multidis\n\/redis\n\/shop\/cache/ },
  [docCommand('docs/apps.md', 'mesosup app show web')]: { code: 0, says: /^Command +sleep 600$/m },
  'mesosup app show web -o yaml': { code: 0, says: /^cmd: sleep 600$/m },
  'mesosup app tasks web': { code: 0, says: /^TASK +STATE/ },
  'mesosup app tasks -o wide': { code: 0, says: /AGENT\n/ },
  'mesosup app endpoints web': { code: 0, says: /^APP +SERVICE PORT +ADDRESS/ },
  'mesosup app endpoints web -o name': { code: 0, says: /^[\d.]+:\d+\n/ },
  'mesosup app scale web 3': { code: 0, says: /Scaled \/web to 3 instances/ },
  'mesosup app restart web': { code: 0, says: /Restarted \/web/ },
  'mesosup app deployments': { code: 0, says: /No deployment is running|^DEPLOYMENT/ },
  'mesosup app deployments -o name': { code: 0, says: /^([\w-]+\n?)*$/ },
  'mesosup app deployments show DEPLOYMENT': { code: 1, says: /Deployment 'DEPLOYMENT' does not exist/ },
  'mesosup app deployments watch DEPLOYMENT': { code: 1, says: /Deployment 'DEPLOYMENT' does not exist/ },
  'mesosup app deployments cancel DEPLOYMENT': { code: 1, says: /Deployment 'DEPLOYMENT' does not exist/ },
  'mesosup app deployments cancel DEPLOYMENT --keep': {
    code: 1,
    says: /Deployment 'DEPLOYMENT' does not exist/,
  },
  'mesosup app apply -f app.json --dry-run': { code: 3, says: /~ \/web is changed\n {4}~ instances: 3 → 2/ },
  [docCommand('docs/apps.md', 'mesosup app apply -f apps.yaml --set tag=1.2 --yes')]: {
    code: 0,
    says: /\+ \/batch\/first is created[\s\S]*Deployed 2 apps/,
  },
  'mesosup app apply -f apps/ --prune': {
    code: 2,
    says: /- \/batch\/second is removed[\s\S]*no terminal to ask for confirmation: add --yes/,
  },
  'mesosup app exec redis -- redis-cli PING': { code: 0, says: /^PONG$/ },
  [docCommand('docs/apps.md', 'mesosup app exec -it redis -- sh')]: {
    code: 2,
    says: /--tty needs a terminal/,
  },
  'echo PING | mesosup app exec -i redis -- redis-cli': { code: 0, says: /^PONG$/ },
  'mesosup app logs redis': { code: 0, says: /^redis\.\d+ \| .*Redis/m },
  [docCommand('docs/apps.md', 'mesosup app logs redis --follow --tail 20')]: {
    code: 124,
    says: /^redis\.\d+ \| .*Redis/m,
  },
  [docCommand('docs/apps.md', 'mesosup app logs redis --since 10m')]: { code: 0, says: /^$|^redis\.\d+ \|/ },
  'mesosup app logs redis --follow --since 2026-01-31T14:05:00Z': {
    code: 124,
    says: /^redis\.\d+ \| .*Redis/m,
  },
  'mesosup app logs redis --stderr --grep "error|warning"': { code: 0, says: /^$|^redis/ },
  'mesosup app logs --task TASK': { code: 1, says: /Task 'TASK' does not exist/ },
  'mesosup app events': { code: 124, says: /event_stream_attached/ },
  'mesosup app events redis -o json': { code: 124, says: /^$/ },
  // Deployments of the commands before may end meanwhile.
  'mesosup app events --type deployment_failed --type deployment_success': {
    code: 124,
    says: /^(\S+ {2}deployment_(failed|success).*\n?)*$/,
  },
  [docCommand('docs/apps.md', 'mesosup app why redis')]: {
    code: 0,
    says: /\/redis is not waiting: 2 of 2 instances are ready/,
  },
  'mesosup app history redis': { code: 0, says: /\(current\)\n {2}first version/ },
  'mesosup app history redis -n 3': { code: 0, says: /\(current\)\n {2}first version/ },
  [docCommand('docs/apps.md', 'mesosup app rollback redis')]: {
    code: 2,
    says: /\/redis has only one version/,
  },
  'mesosup app rollback redis VERSION --no-wait': { code: 1, says: /has no version 'VERSION'/ },
  'mesosup agents': { code: 0, says: /^AGENT +STATE +TASKS/ },
  'mesosup agents -o wide': { code: 0, says: /PORTS +ID\n/ },
  [docCommand('docs/load-balancer.md', 'mesosup app canary web --share 10% --env MODE=new')]: {
    code: 0,
    says: /\+ env\.MODE: [\s\S]*Started \/web-canary with 1 instance[\s\S]*gets 10% of the requests of \/web/,
  },
  [docCommand('docs/load-balancer.md', 'mesosup app canary web --share 50%')]: {
    code: 0,
    says: /gets 50% of the requests of \/web/,
  },
  'mesosup app canary web -f app.json': { code: 0, says: /Changed \/web-canary[\s\S]*gets 50%/ },
  [docCommand('docs/load-balancer.md', 'mesosup app promote web')]: {
    code: 0,
    says: /Promoted \/web-canary to \/web/,
  },
  'mesosup app abort web': { code: 2, says: /\/web has no canary/ },
  'mesosup app suspend web': { code: 0, says: /Suspended \/web/ },
  'mesosup app stop web --yes': { code: 0, says: /Removed \/web/ },
  'mesosup demo status': { code: 0, says: /multidis +2 +2/ },
  'mesosup demo status --json': { code: 0, says: /"up": true/ },
  'mesosup list': { code: 0, says: /^demo .* \d+ apps?, \d+ tasks?$/m },
  'mesosup list --json': { code: 0, says: /"answers": true/ },
  'mesosup demo down': { code: 0, says: /The demo is down/ },
  'mesosup help': { code: 0, says: /COMMANDS/ },
  'mesosup help demo down': { code: 0, says: /End a demo/ },
  'mesosup version': { code: 0, says: /^mesosup\/\d/ },
  'mesosup version --json': { code: 0, says: /"version": / },
  'mesosup init': { code: 2, says: /name the hosts with --hosts a,b,c, or --local/ },
  'mesosup adopt --hosts h1,h2,h3': UNREACHABLE,
  'mesosup adopt h1 h2 h3 --user admin --file prod.yaml': UNREACHABLE,
  'mesosup init --hosts h1,h2,h3 --user admin --no-input': { code: 0, says: /cluster mesosup of 3 hosts/ },
  'mesosup init --local --mesos preinstalled --file here.yaml': { code: 0, says: /here\.yaml: cluster/ },
  'mesosup install --hosts h1,h2,h3 --start': UNREACHABLE,
  'mesosup install --file cluster.yaml --yes': UNREACHABLE,
  'mesosup install --local --start': THIS_MACHINE,
  'mesosup install plan.json': REACHED_ITS_FILE,
  'mesosup install --bundle bundle.tar': UNREACHABLE,
  'mesosup bundle --file cluster.yaml --out bundle.tar': UNREACHABLE,
  'mesosup bundle --hosts h1,h2,h3 --out bundle.tar --update': UNREACHABLE,
  'mesosup plan': UNREACHABLE,
  'mesosup plan --hosts h1,h2,h3 --out plan.json': UNREACHABLE,
  'mesosup plan --local --json': { code: [1, 3], says: /^\{[\s\S]*\}$/ },
  'mesosup upgrade --dry-run': UNREACHABLE,
  'mesosup upgrade --first h1 --pause 5m': UNREACHABLE,
  'mesosup upgrade --only mesos --to 1.11.0-0.7.1 --yes': UNREACHABLE,
  'mesosup upgrade --only docker --batch 2': UNREACHABLE,
  // The examples run this version.
  'mesosup upgrade --to 0.1.0': UNREACHABLE,
  'mesosup node list': { code: 0, says: /^h1 .* unreachable/m },
  'mesosup node list -o wide': { code: 0, says: /SYSTEM +AGENT\nh1/ },
  'mesosup node list -o name': { code: 0, says: /^h1$/m },
  'mesosup node ssh h1': NO_SSH,
  'mesosup node ssh h1 -- journalctl -u mesos-agent -n 50': NO_SSH,
  'mesosup node exec -- uptime': UNREACHABLE,
  'mesosup node exec --role master -- systemctl is-active mesos-master': UNREACHABLE,
  "mesosup node exec --host h1,h2 -- sh -c 'df -h | grep docker'": NO_HOST,
  'mesosup node exec --json -- docker version': {
    code: 1,
    says: /"message": "h1|no SSH server is listening/,
  },
  'mesosup node drain h3': NO_HOST,
  'mesosup node drain h3 --yes --move-timeout 600': NO_HOST,
  'mesosup node undrain h3': NO_HOST,
  'mesosup node add h4': NO_NEW_HOST,
  'mesosup node add h4 --attribute rack=b --yes': NO_NEW_HOST,
  'mesosup node add h4 --role lb': NO_NEW_HOST,
  'mesosup node add h4 --role zookeeper,master,scheduler,agent': NO_NEW_HOST,
  'mesosup node replace h3 h6': NO_HOST,
  'mesosup node replace h3 h6 --address 10.0.0.6 --yes': NO_HOST,
  'mesosup node remove h4': NO_HOST,
  'mesosup node remove h4 --dead --yes': NO_HOST,
  'mesosup backup lab.backup': { code: 2, says: /nothing is known about mesosup|the pass phrase is empty/ },
  'mesosup backup lab.backup < pass-phrase.txt': { code: 2, says: /pass-phrase\.txt/ },
  'mesosup restore lab.backup': { code: 2, says: /lab\.backup can't be read: there is no such file/ },
  'mesosup scheduler backup': NO_STATE,
  'mesosup scheduler backup state.backup --data-dir /var/lib/mesosup/scheduler': NO_STATE,
  'mesosup scheduler backup state.backup --zk file:///etc/mesosup/scheduler/zk --json': NO_ZK_FILE,
  // The demo, whose context is in use, has ended.
  'mesosup scheduler import groups.json --dry-run': NO_CONTEXT,
  'mesosup scheduler import groups.json --leave-out --json': NO_CONTEXT,
  'mesosup scheduler import apps.json --context prod': { code: 2, says: /--context is "prod", which is not/ },
  'mesosup scheduler import apps.json --url https://scheduler.example:8443 --credentials-file api':
    NO_CREDENTIALS,
  'mesosup scheduler password': { code: 2, says: /The password is empty/ },
  'mesosup scheduler password password.txt': {
    code: 2,
    says: /password\.txt can't be read: there is no such file/,
  },
  'mesosup scheduler restore state.backup': NO_BACKUP,
  'mesosup scheduler restore state.backup --data-dir /var/lib/mesosup/scheduler --force': NO_BACKUP,
  'mesosup scheduler restore state.backup --zk file:///etc/mesosup/scheduler/zk --new-framework --json':
    NO_ZK_FILE,
  'mesosup scheduler takeover http://marathon.example:8080 --dry-run': NO_MARATHON,
  'mesosup scheduler takeover http://marathon.example:8080 --data-dir /var/lib/mesosup/scheduler':
    NO_MARATHON,
  'mesosup scheduler takeover http://marathon.example:8080 --master zk://zk1:2181/mesos --leave --yes --json':
    NO_MARATHON,
  'mesosup simulate scenario.yaml': { code: 0, says: /broken +no property/ },
  'mesosup simulate scenario.yaml --seed 7 --json': { code: 0, says: /^\{[\s\S]*"violations": \[\]/ },
  'mesosup start': UNREACHABLE,
  'mesosup start --file cluster.yaml --yes': UNREACHABLE,
  'mesosup status': { code: 1, says: /^h1: no SSH server is listening at/m },
  'mesosup status --json': { code: 1, says: /^\{[\s\S]*no SSH server is listening[\s\S]*\}$/ },
  'mesosup logs': { code: 1, says: /h1: .*no SSH server is listening at/ },
  'mesosup logs h1 --service master,scheduler --follow': {
    code: 1,
    says: /h1: .*no SSH server is listening at/,
  },
  'mesosup logs --runs': { code: 0, says: /^No run of mesosup is kept on this machine\.$/ },
  'mesosup logs h2 --run last': { code: 2, says: /^there is no run of this cluster on this machine\n/ },
  'mesosup logs --since 1h --grep "error|warning"': { code: 1, says: /h1: .*no SSH server is listening at/ },
  'mesosup doctor': { code: 1, says: /✖ h1: .*no SSH server is listening at/ },
  'mesosup doctor --json': {
    code: 1,
    says: /^\{[\s\S]*"findings": \[[\s\S]*no SSH server is listening[\s\S]*\}$/,
  },
  'mesosup doctor --fix': { code: 1, says: /There is nothing that an installation could correct/ },
  'mesosup doctor --bundle support.tar.gz': {
    code: 1,
    says: /support\.tar\.gz: a support bundle without secrets/,
  },
  'mesosup stop': UNREACHABLE,
  'mesosup stop --file cluster.yaml --yes': UNREACHABLE,
  'mesosup uninstall': UNREACHABLE,
  'mesosup uninstall --purge --yes': UNREACHABLE,
  'mesosup monitoring config -o monitoring': {
    code: 2,
    says: /the schedulers of mesosup need credentials/,
  },
  'mesosup monitoring config --context prod --token-file /etc/prometheus/scheduler-token': {
    code: 2,
    says: /--context is "prod", which is not/,
  },
  'mesosup monitoring config --schedulers http://s1:8080 --exporters h1:9103,h2:9103 -o monitoring': {
    code: 0,
    says: /^Wrote monitoring\/prometheus\.yml$/,
  },
  'mesosup monitoring dashboard': { code: 0, says: /"title": "Mesos and mesosup"/ },
  'mesosup monitoring dashboard -o monitoring': {
    code: 0,
    says: /^Wrote monitoring\/mesosup-dashboard\.json$/,
  },
  'mesosup monitoring rules': { code: 0, says: /alert: MesosAgentDown/ },
  'mesosup monitoring rules -o monitoring': { code: 0, says: /^Wrote monitoring\/mesosup-rules\.yml$/ },
  'mesosup monitoring serve --master http://10.0.0.1:5050 --agent http://10.0.0.1:5051': {
    code: 124,
    says: /listening on http:\/\/127\.0\.0\.1:9103\/metrics/,
  },
  'mesosup monitoring serve --agent http://10.0.0.1:5051 --credentials-file credentials': {
    code: 2,
    says: /--credentials-file can't be read: ENOENT/,
  },
  'mesosup completion bash': { code: 0, says: /complete -F _mesosup mesosup/ },
  'mesosup completion zsh': { code: 0, says: /^#compdef mesosup/ },
  'mesosup completion fish': { code: 0, says: /complete -c mesosup/ },
};

const SCENARIO = 'agents: [{count: 3}]\napps: [{app: {id: /web, cmd: ./serve, instances: 4}}]\n';

const APP = '{"id": "/web", "cmd": "sleep 600", "instances": 2, "cpus": 0.1, "mem": 16}';

const FIRST = 'id: /batch/first\ncmd: echo 1.2; sleep 600\ncpus: 0.1\nmem: 16\n';
const APPS = `id: /batch
apps:
  - {id: first, cmd: 'echo {{ var.tag }}; sleep 600', cpus: 0.1, mem: 16}
  - {id: second, cmd: sleep 600, cpus: 0.1, mem: 16}
`;

let directory: string;

/** A port of this machine that refuses connections. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-examples-'));
  await mkdir(path.join(directory, 'home/.ssh'), { recursive: true, mode: 0o700 });
  const hosts = `Host h1 h2 h3\n  HostName 127.0.0.1\n  Port ${await closedPort()}\n`;
  await writeFile(path.join(directory, 'home/.ssh/config'), hosts, { mode: 0o600 });
});
afterAll(async () => {
  await mesosup('demo', 'down');
  await rm(directory, { recursive: true });
  // What the load balancer made, if it was not there.
  for (const left of ['/var/lib/mesosup/lb', '/var/lib/mesosup']) await rmdir(left).catch(() => undefined);
});

test('covers all examples of all help texts', async () => {
  const manifest = await readFile(path.join(root, 'dist/lib/commands.json'), 'utf8');
  const { commands } = JSON.parse(manifest) as { commands: Record<string, never> };
  const reference = referenceOf(Object.values(commands));
  for (const { words, examples } of reference)
    expect({ words, count: examples.length }).not.toEqual({ words, count: 0 });
  const shown = [
    ...reference.flatMap(({ examples }) => examples),
    ...ROOT_EXAMPLES.map(({ command }) => command),
  ];
  expect([...new Set(shown)].sort()).toEqual(Object.keys(EXAMPLES).sort());
  for (const command of docCommands('docs/reference.md')) expect(Object.keys(EXAMPLES)).toContain(command);
  const help = (await mesosup('--help')).stdout;
  for (const { command } of ROOT_EXAMPLES) expect(help).toContain(`$ ${command}`);
});

test.each(Object.entries(EXAMPLES))('%s', async (command, { code, says }) => {
  const place = await mkdtemp(path.join(directory, 'run-'));
  await writeFile(path.join(place, 'scenario.yaml'), SCENARIO);
  await writeFile(path.join(place, 'app.json'), APP);
  await writeFile(path.join(place, 'apps.yaml'), APPS);
  await mkdir(path.join(place, 'apps'));
  await writeFile(path.join(place, 'apps/first.yaml'), FIRST);
  if (!/^mesosup (init|adopt)\b/.test(command))
    await writeFile(path.join(place, 'cluster.yaml'), 'hosts: [h1]\n');
  const env = {
    HOME: path.join(directory, 'home'),
    PATH: `${root}/bin:${process.env.PATH}`,
    XDG_STATE_HOME: undefined,
    XDG_CONFIG_HOME: undefined,
  };
  if (code === 130) {
    const shown = await typed(`PATH=${quote(env.PATH)}; ${command}; echo "exit $?"`, [
      { prompt: 'Ctrl-C ends the demo.', answer: '\u0003' },
      { prompt: 'exit ', answer: '' },
    ]);
    expect(shown).toMatch(says);
    expect(shown).toContain('exit 130');
    return;
  }
  // Commands that go on until Ctrl-C end with 124.
  const limited = code === 124 ? `timeout -s INT 4 ${command}` : command;
  const { exitCode, all } = await execa('sh', ['-c', limited], {
    cwd: place,
    env,
    stdin: 'ignore',
    reject: false,
    all: true,
  });
  expect(all).toMatch(says);
  expect([code].flat(), all).toContain(exitCode);
});
