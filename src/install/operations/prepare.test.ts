import { expect, test } from 'vitest';
import { bareFacts, clusterOf, hostOf } from '../../../test/install/hosts.ts';
import { HOST_SCRIPTS, type HostScripts } from '../script/host-scripts.ts';
import { type DrainIntent, prepare, startsServices } from './prepare.ts';
import type { Session } from './session.ts';

const cluster = clusterOf([hostOf('h1', { roles: ['master', 'agent'] })]);
const bare = bareFacts('10.0.0.1');

/** A master that leads, and knows no agent. */
const session = {
  cluster,
  scripts: Object.fromEntries(HOST_SCRIPTS.map((name) => [name, ''])) as HostScripts,
  host: () => ({ run: async () => ({ stdout: 'HTTP/1.1 200 OK\r\n\r\n{"slaves":[]}\0asked 0 1' }) }),
} as unknown as Session;

async function planned(intent: DrainIntent, tasks: number | null, answers = true) {
  const agent = { ...bare.agent, id: 'a-S0', answers, tasks };
  const facts = new Map([['h1', { ...bare, master: { ...bare.master, elected: true }, agent }]]);
  const survey = { facts, unreachable: [], secrets: undefined };
  const { plan } = await prepare(session, { root: '/none', version: '1' }, survey, intent);
  return plan.hosts.flatMap(({ items }) => items);
}

test('a host leaves without a drain only if its agent runs no tasks', async () => {
  const retire = { command: 'drain', host: 'h1', retire: true } as const;
  await expect(planned(retire, 2)).rejects.toThrow('h1: its agent is not registered with the leading master');
  await expect(planned(retire, null)).rejects.toThrow('is not registered');
  expect(await planned(retire, 0)).toEqual([]);
  expect(await planned(retire, null, false)).toEqual([]);
  await expect(planned({ command: 'drain', host: 'h1' }, 0)).rejects.toThrow('is not registered');
});

test('an uninstall of one host takes the lock on the same host as all other runs', async () => {
  const two = clusterOf([hostOf('h1', { roles: ['master'] }), hostOf('h2', { roles: ['agent'] })]);
  const facts = new Map(two.hosts.map(({ name }, i) => [name, bareFacts(`10.0.0.${i + 1}`)]));
  const survey = { facts, unreachable: [], secrets: undefined };
  const intent = { command: 'uninstall', purge: false, only: ['h2'] } as const;
  const prepared = await prepare(
    { cluster: two } as Session,
    { root: '/none', version: '1' },
    survey,
    intent,
  );
  expect([prepared.reach.usable, prepared.lockOn?.[0]]).toEqual([['h2'], 'h1']);
});

test('a host that is new in a running cluster is started, and no host of a stopped or new cluster', () => {
  const install = { command: 'install', start: false } as const;
  const host = (current: string, started: boolean) => ({
    ...bare,
    mesosup: { ...bare.mesosup, current, started },
  });
  const [running, stopped, fresh] = [host('1', true), host('1', false), host('', false)];
  const starts = (...hosts: (typeof running)[]) =>
    startsServices(install, new Map(hosts.map((facts, i) => [`h${i}`, facts])));
  expect(starts(running, running, fresh)).toBe(true);
  expect(starts(running, stopped, fresh)).toBe(false);
  expect(starts(stopped, fresh)).toBe(false);
  expect(starts(fresh, fresh)).toBe(false);
  expect(starts(running, running)).toBe(false);
  expect(startsServices({ ...install, start: true }, new Map([['h0', fresh]]))).toBe(true);
});

test('a new cluster whose file asks for TLS is refused where it is not possible', async () => {
  const facts = new Map([['h1', { ...bare, init: 'upstart' as const }]]);
  const insisting = { ...session, cluster: { ...cluster, tls: true } } as Session;
  const survey = { facts, unreachable: [], secrets: undefined, isNew: true };
  const intent = { command: 'install', start: false } as const;
  const program = { root: '/none', version: '1' };
  await expect(prepare(insisting, program, survey, intent)).rejects.toMatchObject({
    message: 'h1 has Upstart, with which mesosup sets up no TLS',
    remedy: 'Install a newer system on the host.',
  });
});
