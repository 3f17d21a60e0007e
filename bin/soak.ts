/**
 * Runs the property tests with FACTOR times as many runs: `npm run soak [FACTOR] [SEED]`. With the default factor, these
 * include 1,000 simulated clusters. Then kills a real scheduler 500 times, kills what runs 20 containers 200 times, copies
 * a minute of output at 50 MB/s, looks at each view of the page light and dark at two widths, lets the load balancer serve
 * for 10 minutes without a scheduler, installs on 100 hosts with quirks, on each Debian, and on hosts without a network,
 * upgrades three hosts and takes them back, grows a cluster from one master to five, restores a cluster onto three other
 * hosts, adopts clusters of others, seeds faults for the doctor, and replaces all secrets and certificates of a cluster.
 * Prints the seed first, so that a failure can be reproduced, and the totals last.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { $, echo, glob } from 'zx';

const FACTOR = 100;
const HOUR_MS = 3_600_000;

process.chdir(path.resolve(import.meta.dirname, '..'));
process.env.PATH = `${path.resolve('node_modules/.bin')}:${process.env.PATH}`;
const factor = Number(process.argv[2] ?? FACTOR);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));

const files: string[] = [];
for (const file of await glob('src/**/*.test.ts')) {
  if ((await readFile(file, 'utf8')).includes('fc.assert(')) files.push(file);
}
echo(`soak: ${files.length} files, ${factor} times their usual runs, seed ${seed}`);
const begun = Date.now();
const environment = { MESOSUP_SOAK_FACTOR: String(factor), MESOSUP_SOAK_SEED: String(seed) };
const run = $({ stdio: 'inherit', nothrow: true, env: { ...process.env, ...environment } });
const properties = await run`vitest run --project unit --testTimeout=${HOUR_MS} ${files}`;
const kills = await run`vitest run --project contract test/contract/scheduler-kills.test.ts`;
const chaos = await run`vitest run --project engine test/e2e/engine/executor-chaos.test.ts`;
// A minute of output at 50 MB/s.
const output = $({ stdio: 'inherit', nothrow: true, env: { ...process.env, MESOSUP_SOAK_FACTOR: '20' } });
const floods = await output`vitest run --project engine test/e2e/engine/executor-output.test.ts`;
const looks = await run`vitest run --project e2e test/e2e/ui-states.test.ts`;
const balancer = await run`vitest run --project contract test/contract/lb-servers.test.ts`;
const hosts = $({
  stdio: 'inherit',
  nothrow: true,
  // Four hosts per run.
  env: { ...process.env, ...environment, MESOSUP_SOAK_FACTOR: String(Math.ceil(factor / 4)) },
});
const quirks = await hosts`vitest run --project hosts test/e2e/hosts/install-quirks.test.ts`;
const systems =
  await hosts`vitest run --project hosts test/e2e/hosts/install-debian.test.ts test/e2e/hosts/offline.test.ts`;
const upgrades = await run`vitest run --project hosts test/e2e/hosts/upgrade`;
const members = await hosts`vitest run --project hosts test/e2e/hosts/members-growth.test.ts`;
const restore =
  await hosts`vitest run --project hosts test/e2e/hosts/members.test.ts test/e2e/hosts/install-missing.test.ts`;
const adoption = await hosts`vitest run --project hosts test/e2e/hosts/adopt.test.ts`;
const faults = await hosts`vitest run --project hosts test/e2e/hosts/doctor-faults.test.ts`;
const secrets =
  await hosts`vitest run --project hosts test/e2e/hosts/secrets.test.ts test/e2e/hosts/certificates`;
const parts = [
  ...[properties, kills, chaos, floods, looks, balancer, quirks, systems],
  ...[upgrades, members, restore, adoption, faults, secrets],
];
const failed = parts.find((part) => part.exitCode !== 0);
const exitCode = failed ? (failed.exitCode ?? 1) : 0;
echo(`soak: seed ${seed}, factor ${factor}, ${Math.round((Date.now() - begun) / 1000)} s, exit ${exitCode}`);
process.exitCode = exitCode;
