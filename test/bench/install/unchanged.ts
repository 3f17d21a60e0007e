/**
 * A run that has nothing to change, beside bare parallel ssh with the same checks: the probe script that mesosup sends
 * to a host, sent by OpenSSH's ssh to all hosts at once, with its answers in files. ssh runs once with its own choice of
 * algorithms, and once with the key exchange that mesosup uses, which takes less time than OpenSSH's default. The bare
 * runs do not read the answers and decide nothing.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadCluster } from '../../../src/cluster/edge/load.ts';
import { hostScripts, loadTemplates } from '../../../src/install/edge/templates.ts';
import { probeScript } from '../../../src/install/script/probe-script.ts';
import { probeTargets } from '../../../src/install/targets.ts';
import { root } from '../../e2e/demo-cluster.ts';
import type { LabCluster } from '../../e2e/support/lab-cluster.ts';
import type { Lab } from '../../lab/lab.ts';
import { median } from '../figures.ts';
import { load, measure, type Taken } from './measure.ts';

/** A shell's `for` over the hosts. $1 is ssh's configuration, $2 a directory, $3 the key exchange or nothing. */
const PARALLEL = `
config=$1 directory=$2 kex=$3
shift 3
for host; do
  ssh -F "$config" \${kex:+-o "KexAlgorithms=$kex"} "$host" sh -s <"$directory/$host.sh" >"$directory/$host.json" &
done
wait`;

const CHEAP_EXCHANGE = 'curve25519-sha256';

/** @returns a function that runs the checks over ssh. @param kex a key exchange; empty for OpenSSH's default */
async function bareChecks(lab: Lab, cluster: LabCluster, names: readonly string[]) {
  const directory = path.join(cluster.directory, 'bare-checks');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const where = { directory: cluster.directory, home: lab.ssh.home, stateHome: cluster.state };
  const loaded = await loadCluster({ file: cluster.specFile, overrides: {} }, where);
  const scripts = hostScripts(root, await loadTemplates(root));
  const secrets = await cluster.secrets();
  for (const host of loaded.cluster.hosts) {
    const script = probeScript(scripts, probeTargets(loaded.cluster, host), { secrets });
    await writeFile(path.join(directory, `${host.name}.sh`), script, { mode: 0o600 });
  }
  return async (kex: string): Promise<Taken> => {
    const words = ['bash', '-c', PARALLEL, 'bash', lab.ssh.config, directory, kex, ...names];
    const taken = await measure(words, directory);
    for (const name of names) {
      const answer = JSON.parse(await readFile(path.join(directory, `${name}.json`), 'utf8'));
      if (answer.ended === undefined) throw new Error(`${name}: the answer is not complete`);
    }
    return taken;
  };
}

/** @returns lines for people. The three kinds of runs take turns, so that other load affects all of them equally */
export async function compareUnchanged(
  lab: Lab,
  cluster: LabCluster,
  names: readonly string[],
  rounds: number,
): Promise<string[]> {
  const bare = await bareChecks(lab, cluster, names);
  const program = [cluster.program, ...cluster.arguments('install', '--yes')];
  const ours = async () => {
    const taken = await measure(program, cluster.directory);
    if (!/no changes/i.test(taken.stdout)) throw new Error(`not settled:\n${taken.stdout}`);
    return taken;
  };
  const kinds = [
    { title: 'bare parallel ssh', run: () => bare(''), taken: [] as Taken[] },
    { title: `bare parallel ssh, ${CHEAP_EXCHANGE}`, run: () => bare(CHEAP_EXCHANGE), taken: [] as Taken[] },
    { title: 'mesosup install', run: ours, taken: [] as Taken[] },
  ];
  for (const { run } of kinds) await run();
  const before = load();
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < kinds.length; i += 1) {
      const kind = kinds[(round + i) % kinds.length];
      kind?.taken.push(await kind.run());
    }
  }
  const last = kinds.at(-1)?.taken ?? [];
  const lines = kinds.map(({ title, taken }) => {
    const wall = median(taken.map((one) => one.seconds));
    const cpu = (median(taken.map((one) => one.cpu)) / names.length) * 1000;
    const ratio = median(last.map((one, round) => one.seconds / (taken[round]?.seconds ?? Number.NaN)));
    const times = taken === last ? '' : `; mesosup takes ${ratio.toFixed(2)} times as long`;
    return `    ${title}: ${wall.toFixed(2)} s, ${cpu.toFixed(0)} ms of this machine's processors a host${times}`;
  });
  return [
    `  no changes on ${names.length} hosts, median of ${rounds} runs in turn, ${before} to ${load()}:`,
    ...lines,
  ];
}
