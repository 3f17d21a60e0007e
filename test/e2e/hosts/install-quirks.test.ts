/**
 * Hosts with random quirks: plan and install end in a healthy cluster, or in an error that names the cause; never in a
 * stack trace, and never in a wrong report of health. `npm run soak` tests a hundred hosts.
 */

import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/simulator/random.ts';
import type { LabHost } from '../../lab/host.ts';
import { startLab } from '../../lab/lab.ts';
import { AGENT_PACKAGES } from '../../lab/preinstalled.ts';
import { type Quirk, someQuirks } from '../../lab/quirks.ts';
import type { Login } from '../../lab/start-host.ts';
import { runs } from '../../support/runs.ts';
import { LabCluster, type Outcome, PORTS } from '../support/lab-cluster.ts';

/** Number of hosts of a lab, which are installed concurrently: fewer outside of the soak. */
const AT_ONCE = runs(1) > 1 ? 4 : 2;
const LOGINS: readonly Login[] = ['root', 'sudo', 'sudo-password'];
const LAB_MS = 1_800_000;
const first = Number(process.env.MESOSUP_SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));

interface Drawn {
  readonly seed: number;
  readonly login: Login;
  readonly quirks: readonly Quirk[];
}

function draw(seed: number): Drawn {
  // The first random numbers of adjacent seeds are similar.
  const random = new Random(Math.imul(seed, 0x9e3779b1) | 0);
  return { seed, login: random.pick(LOGINS) ?? 'root', quirks: someQuirks(random) };
}

/** Checks the services of a single host, without the program. */
async function works(cluster: LabCluster, host: LabHost): Promise<boolean> {
  try {
    const metrics = await cluster.operator(host, PORTS.master, '/metrics/snapshot');
    const found = (await metrics.json()) as Record<string, number>;
    const info = (await (await cluster.api(host, '/v2/info')).json()) as { elected?: boolean };
    const engine = await host.exec('docker version');
    return (
      found['master/elected'] === 1 &&
      found['master/slaves_active'] === 1 &&
      info.elected === true &&
      engine.code === 0
    );
  } catch {
    return false;
  }
}

function expectPlain({ all }: Outcome, about: string): void {
  expect(all, about).not.toMatch(/^ +at .*(\.ts|\.js|node:)/m);
  expect(all, about).not.toContain('because of a bug');
}

async function check(cluster: LabCluster, host: LabHost, drawn: Drawn): Promise<string> {
  const about = `seed ${drawn.seed}: ${drawn.login}, ${drawn.quirks.map(({ name }) => name).join(', ')}`;
  for (const { apply } of drawn.quirks) await apply(host);
  const plan = await cluster.run('plan');
  expectPlain(plan, about);
  const done = await cluster.run('install', '--start', '--yes', '--timeout', '120');
  expectPlain(done, about);
  const status = await cluster.run('status');
  expectPlain(status, about);
  if (done.code === 0) {
    expect(plan.code, `${about}\n${plan.all}`).toBe(3);
    expect({ code: status.code, works: await works(cluster, host) }, `${about}\n${status.all}`).toEqual({
      code: 0,
      works: true,
    });
    return `${about}: healthy`;
  }
  const named = drawn.quirks.filter(({ cause }) => cause?.test(done.all));
  expect(named.length, `${about}\n${done.all}`).toBeGreaterThan(0);
  expect({ install: done.code, status: status.code }, `${about}\n${done.all}\n${status.all}`).toEqual({
    install: 1,
    status: 1,
  });
  return `${about}: refused for ${named.map(({ name }) => name).join(', ')}`;
}

describe.each(Array.from({ length: runs(1) }, (_, i) => first + i * AT_ONCE))(
  'hosts from seed %i on',
  (seed) => {
    test(
      'end healthy, or in an error that names the cause',
      async () => {
        const drawn = Array.from({ length: AT_ONCE }, (_, i) => draw(seed + i));
        await using lab = await startLab({
          hosts: drawn.map(({ login }) => ({ packages: AGENT_PACKAGES, login })),
        });
        const results = await Promise.allSettled(
          lab.hosts.map(async (host, i) => {
            const cluster = new LabCluster(lab, host.name);
            await cluster.writeSpec({ hosts: [host.name] });
            const outcome = await check(cluster, host, drawn[i] as Drawn);
            console.log(outcome);
          }),
        );
        const failures = results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
        expect(failures).toEqual([]);
      },
      LAB_MS,
    );
  },
);
