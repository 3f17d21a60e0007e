import fc from 'fast-check';
import { expect, it } from 'vitest';
import { refusedAnswer, runtimeCommands } from './runtime-commands.ts';
import type { Service } from './service.ts';
import { assignSlots, type Slots } from './slots.ts';

const here = () => '10.0.0.1';

function service(...tasks: readonly string[]): Service {
  const servers = tasks.map((taskId, i) => ({ taskId, host: 'h', port: 31_000 + i }));
  return { backend: '0_a', appId: '/a', portIndex: 0, mode: 'tcp', settings: {}, port: 10_001, servers };
}

function tasksIn(slots: Slots): (string | undefined)[] {
  return (slots.get('0_a')?.slots ?? []).map(({ server }) => server?.taskId);
}

it('keeps tasks in their places, and uses the place that became free last of all', () => {
  const first = assignSlots([service('a', 'b')], new Map(), here);
  expect(tasksIn(first)).toEqual(['a', 'b', undefined, undefined]);
  const second = assignSlots([service('b')], first, here);
  expect(tasksIn(second)).toEqual([undefined, 'b', undefined, undefined]);
  expect(tasksIn(assignSlots([service('b', 'c')], second, here))).toEqual([undefined, 'b', 'c', undefined]);
});

it('raises weights before a server enters, and lowers them after it has left', () => {
  const one = { address: '10.0.0.1:1', taskId: 'a' };
  const two = { address: '10.0.0.2:1', taskId: 'b', weight: 28 };
  const slotsOf = (...servers: readonly (typeof one | undefined)[]): Slots =>
    new Map([['0_a', { next: 0, slots: servers.map((server) => ({ server })) }]]);
  const alone = slotsOf(one, undefined);
  const both = slotsOf({ ...one, weight: 256 } as typeof one, two);
  expect(runtimeCommands(alone, both)).toEqual([
    'set server 0_a/s1 weight 256',
    'set server 0_a/s2 addr 10.0.0.2 port 1',
    'set server 0_a/s2 weight 28',
    'set server 0_a/s2 state ready',
  ]);
  expect(runtimeCommands(both, alone)).toEqual([
    'set server 0_a/s2 state maint',
    'set server 0_a/s2 weight 1',
    'set server 0_a/s1 weight 1',
  ]);
});

it('gives no place to a task on a host without an address', () => {
  expect(tasksIn(assignSlots([service('a')], new Map(), () => undefined))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

it('keeps a task in its place while the address of its host can not be found', () => {
  const first = assignSlots([service('a')], new Map(), here);
  const later = assignSlots([service('a', 'b')], first, () => undefined);
  expect(later).toEqual(first);
});

it('makes room only if there is no free place, for twice as many', () => {
  const first = assignSlots([service('a', 'b', 'c')], new Map(), here);
  expect(tasksIn(first)).toHaveLength(8);
  expect(tasksIn(assignSlots([service(...'abcdefgh')], first, here))).toHaveLength(8);
  const grown = assignSlots([service(...'abcdefghi')], first, here);
  expect(tasksIn(grown)).toHaveLength(32);
  expect(tasksIn(grown).slice(0, 3)).toEqual(['a', 'b', 'c']);
});

it('the commands lead from the running servers to the wanted ones', () => {
  const sets = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 })
    .map((tasks) => [...new Set(tasks)]);
  fc.assert(
    fc.property(sets, sets, (before, after) => {
      const running = assignSlots([service(...before)], new Map(), here);
      const wanted = assignSlots([service(...after)], running, here);
      const addresses = (running.get('0_a')?.slots ?? []).map(({ server }) => server?.address);
      for (const command of runtimeCommands(running, wanted)) {
        const [, digits, verb, ip, port] =
          /^set server 0_a\/s(\d) (state maint|state ready|addr (\S+) port (\d+))$/.exec(command) ?? [];
        const at = Number(digits) - 1;
        if (verb === 'state maint') addresses[at] = undefined;
        else if (port !== undefined) addresses[at] = `${ip}:${port}`;
      }
      expect(addresses).toEqual((wanted.get('0_a')?.slots ?? []).map(({ server }) => server?.address));
    }),
  );
});

it('changes nothing if the servers are the same', () => {
  const slots = assignSlots([service('a', 'b')], new Map(), here);
  expect(runtimeCommands(slots, assignSlots([service('b', 'a')], slots, here))).toEqual([
    // The tasks have changed their ports in this example, not their places.
    'set server 0_a/s1 state maint',
    'set server 0_a/s1 addr 10.0.0.1 port 31001',
    'set server 0_a/s1 state ready',
    'set server 0_a/s2 state maint',
    'set server 0_a/s2 addr 10.0.0.1 port 31000',
    'set server 0_a/s2 state ready',
  ]);
  expect(runtimeCommands(slots, slots)).toEqual([]);
});

it('adds the new servers before it removes the old ones', () => {
  const running = assignSlots([service('a', 'b')], new Map(), here);
  const commands = runtimeCommands(running, assignSlots([service('c', 'd')], running, here));
  expect(commands.map((one) => one.replace(/^set server 0_a\//, ''))).toEqual([
    's3 addr 10.0.0.1 port 31000',
    's3 state ready',
    's4 addr 10.0.0.1 port 31001',
    's4 state ready',
    's1 state maint',
    's2 state maint',
  ]);
});

it('finds what haproxy answers instead of changing a server', () => {
  const done =
    "\nno need to change the addr, port changed from '9' to '31000' by 'stats socket command'\n\n\n";
  expect(refusedAnswer(done)).toBeUndefined();
  expect(refusedAnswer(`${done}No such server.\n\n`)).toBe('No such server.');
});
