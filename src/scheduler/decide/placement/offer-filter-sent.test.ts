/** When offer constraints are sent to the master, and what happens if it rejects them. */

import { describe, expect, it } from 'vitest';
import { appV2, start, stop, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import type { OfferConstraints } from '../../../mesos/types.ts';
import type { Call } from '../inputs.ts';

type Update = Extract<Call, { type: 'UPDATE_FRAMEWORK' }>;

const AGENTS = ['a', 'b'].map((rack) => ({
  id: `agent-${rack}`,
  host: `host-${rack}`,
  cpus: 4,
  mem: 4096,
  ports: 100,
  attributes: { rack },
}));

function on(rack: string, more: Record<string, unknown> = {}) {
  return appV2({ id: `/on-${rack}`, cpus: 1, constraints: [['rack', 'IS', rack]], ...more });
}

function racks(...values: string[]): OfferConstraints {
  const groups = values.map((value) => ({
    attribute_constraints: [{ selector: { attribute_name: 'rack' }, predicate: { text_equals: { value } } }],
  }));
  return { role_constraints: { '*': { groups } } };
}

function connected(version?: string): Harness {
  const harness = new Harness(AGENTS);
  reconnect(harness, version);
  return harness;
}

function reconnect(harness: Harness, version = '1.11.0'): void {
  harness.connect();
  for (const event of harness.mesos.inbox) {
    if (event.type === 'SUBSCRIBED' && event.subscribed.master_info)
      event.subscribed.master_info.version = version;
  }
  harness.deliverAll();
}

/** Starts an app that fits no agent, and shows it the offers. */
function waits(harness: Harness, rack: string): void {
  harness.input(start(on(rack)));
  harness.mesos.offer();
  harness.deliverAll();
}

function since(harness: Harness, calls: number): Call[] {
  return harness.mesos.calls.slice(calls);
}

function updates(harness: Harness): Update[] {
  return harness.mesos.calls.filter((call): call is Update => call.type === 'UPDATE_FRAMEWORK');
}

function sentConstraints(harness: Harness): (OfferConstraints | undefined)[] {
  return updates(harness).map(({ update_framework }) => update_framework.offer_constraints);
}

function latest(harness: Harness): Update {
  const call = updates(harness).at(-1);
  if (!call) throw new Error('the master received no constraints');
  return call;
}

describe('constraints are sent', () => {
  it('once an app has seen all offers, with the unchanged framework', () => {
    const harness = connected();
    harness.input(start(on('a', { instances: 3, cpus: 3 })));
    expect(sentConstraints(harness)).toEqual([]);
    const calls = harness.mesos.calls.length;
    harness.mesos.offer();
    harness.deliverAll();
    expect(since(harness, calls).map(({ type }) => type)).toEqual(['ACCEPT', 'DECLINE', 'UPDATE_FRAMEWORK']);
    expect(latest(harness)).toEqual({
      type: 'UPDATE_FRAMEWORK',
      update_framework: {
        framework_info: { user: 'root', name: 'mesosup', roles: ['*'], id: { value: 'framework' } },
        suppressed_roles: [],
        offer_constraints: racks('a'),
      },
    });
    const refused = () => [...(harness.state.apps.get('/on-a')?.refusals.keys() ?? [])];
    expect(refused()).toContain('agent-b');
    for (const one of AGENTS) harness.mesos.join({ ...one, id: `${one.id}2` });
    harness.rest();
    expect(harness.mesos.live().map(({ agentId }) => agentId)).toEqual(['agent-a', 'agent-a2']);
    expect(harness.mesos.agents.get('agent-b2')).toMatchObject({ offerId: undefined, filteredUntil: 0 });
    expect(refused()).not.toContain('agent-b2');
  });

  it('never while all offers are needed', () => {
    const harness = connected();
    harness.input(start(appV2()));
    harness.rest();
    harness.input(update('/sleeper', { instances: 30, cpus: 1 }));
    harness.rest();
    expect(harness.state.ready.size).toBe(1);
    expect(sentConstraints(harness)).toEqual([]);
  });

  it('never to an older master', () => {
    for (const version of ['1.10.9', '0.28.2', '', 'none']) {
      const harness = connected(version);
      waits(harness, 'c');
      expect(sentConstraints(harness)).toEqual([]);
    }
    for (const version of ['1.12.0', '2.0.1-dev']) {
      const harness = connected(version);
      waits(harness, 'c');
      expect(sentConstraints(harness)).toEqual([racks('c')]);
    }
  });

  it('when an app starts or stops waiting, with a REVIVE if more offers are useful', () => {
    const harness = connected();
    waits(harness, 'c');
    let calls = harness.mesos.calls.length;
    waits(harness, 'd');
    expect(sentConstraints(harness)).toEqual([racks('c'), {}, racks('c', 'd')]);
    expect(since(harness, calls).map(({ type }) => type)).toEqual([
      'UPDATE_FRAMEWORK',
      'REVIVE',
      'DECLINE',
      'UPDATE_FRAMEWORK',
    ]);
    calls = harness.mesos.calls.length;
    harness.input(stop('/on-d'));
    expect(since(harness, calls)).toEqual([latest(harness)]);
    expect(sentConstraints(harness).at(-1)).toEqual(racks('c'));
    calls = harness.mesos.calls.length;
    harness.input(update('/on-c', { constraints: [['rack', 'IS', 'a']] }, true));
    expect(since(harness, calls).map(({ type }) => type)).toEqual(['UPDATE_FRAMEWORK', 'REVIVE']);
    expect(sentConstraints(harness).at(-1)).toEqual({});
    harness.rest();
    expect(harness.mesos.live()).toHaveLength(1);
  });

  it('empty once an app without constraints is waiting', () => {
    const harness = connected();
    waits(harness, 'c');
    harness.input(start(appV2({ cpus: 1 })));
    harness.rest();
    expect(harness.mesos.live()).toHaveLength(1);
    expect(sentConstraints(harness)).toEqual([racks('c'), {}, racks('c')]);
  });
});

describe('a new connection', () => {
  it('receives the constraints with SUBSCRIBE, and again afterwards', () => {
    const harness = connected();
    waits(harness, 'c');
    harness.disconnect();
    expect(harness.state.constraints.forSubscribe).toEqual(racks('c'));
    const calls = harness.mesos.calls.length;
    reconnect(harness);
    expect(since(harness, calls).filter(({ type }) => type !== 'RECONCILE')).toMatchObject([
      { type: 'UPDATE_FRAMEWORK', update_framework: { offer_constraints: racks('c') } },
      { type: 'REVIVE' },
    ]);
  });

  it('receives none with a second SUBSCRIBE: the first may have failed because of them', () => {
    const harness = connected();
    waits(harness, 'c');
    harness.disconnect();
    harness.disconnect();
    expect(harness.state.constraints.forSubscribe).toBeUndefined();
    // It is unknown whether the first SUBSCRIBE reached the master.
    harness.input(stop('/on-c'));
    reconnect(harness);
    harness.input(start(appV2()));
    expect(sentConstraints(harness)).toEqual([racks('c'), {}]);
  });

  it('receives none with SUBSCRIBE if there are none', () => {
    const harness = connected();
    harness.disconnect();
    expect(harness.state.constraints.forSubscribe).toBeUndefined();
    reconnect(harness);
    harness.input(start(appV2()));
    expect(sentConstraints(harness)).toEqual([]);
  });

  it('to an older master receives none, and neither does the SUBSCRIBE after it', () => {
    const harness = connected();
    waits(harness, 'c');
    harness.disconnect();
    reconnect(harness, '1.9.0');
    harness.disconnect();
    expect(harness.state.constraints.forSubscribe).toBeUndefined();
    expect(sentConstraints(harness)).toHaveLength(1);
  });
});

describe('a master that rejects constraints', () => {
  const refused = 'answered 400: Offer constraints are not valid';

  it('receives empty constraints, and none after that on this connection', () => {
    const harness = connected();
    waits(harness, 'c');
    harness.input({ type: 'call_failed', call: latest(harness), refused });
    expect(sentConstraints(harness)).toEqual([racks('c'), {}]);
    expect(harness.mesos.calls.at(-1)?.type).toBe('REVIVE');
    harness.input(start(on('a')));
    harness.rest();
    expect(sentConstraints(harness)).toHaveLength(2);
    expect(harness.mesos.live()).toHaveLength(1);
    harness.disconnect();
    reconnect(harness);
    expect(sentConstraints(harness)).toEqual([racks('c'), {}, racks('c')]);
  });

  it('receives nothing more if it rejects empty constraints too', () => {
    const harness = connected();
    waits(harness, 'c');
    for (let n = 0; n < 2; n += 1) harness.input({ type: 'call_failed', call: latest(harness), refused });
    harness.input(start(on('a')));
    harness.rest();
    expect(sentConstraints(harness)).toHaveLength(2);
    expect(harness.mesos.live()).toHaveLength(1);
  });
});

it('lost constraints are sent again a second later', () => {
  const harness = connected();
  waits(harness, 'c');
  harness.input({ type: 'call_failed', call: latest(harness) });
  expect(sentConstraints(harness)).toHaveLength(1);
  harness.pass(1000);
  expect(sentConstraints(harness)).toEqual([racks('c'), racks('c')]);
  const { offer_constraints: _, ...bare } = latest(harness).update_framework;
  harness.input({
    type: 'call_failed',
    call: { type: 'UPDATE_FRAMEWORK', update_framework: bare },
    refused: 'answered 400',
  });
  harness.pass(60_000);
  expect(sentConstraints(harness)).toHaveLength(2);
});
