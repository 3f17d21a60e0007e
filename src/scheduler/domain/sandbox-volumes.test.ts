import { describe, expect, it } from 'vitest';
import { appV2, changed, start, update } from '../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../test/scheduler/running.ts';
import { decodeTaskData } from '../../executor/task-data.ts';
import { definitionOf } from './app.ts';
import { readDefinition } from './definition.ts';

const docker = { image: 'i' };
const DATA = { hostPath: 'data', containerPath: '/data' };

function withVolumes(...volumes: unknown[]) {
  return appV2({ id: '/db', cmd: undefined, container: { type: 'DOCKER', docker, volumes } });
}

/** The container of the newest task. */
function launched(harness: Harness) {
  harness.rest();
  const info = [...harness.mesos.tasks.values()].at(-1)?.info;
  return decodeTaskData(info?.data ?? '').docker;
}

/** A scheduler that has read an app of an earlier release. */
function earlier(): Harness {
  const harness = new Harness(AGENTS);
  harness.input(start(withVolumes(DATA)));
  const events = JSON.stringify(harness.disk);
  harness.disk.splice(0, Infinity, ...JSON.parse(events.replaceAll(',"sandboxVolumes":true', '')));
  harness.restart();
  harness.rest();
  return harness;
}

describe('a relative hostPath', () => {
  it('is a directory of the sandbox', () => {
    const harness = new Harness(AGENTS);
    const absolute = { hostPath: '/h', containerPath: 'in/sandbox', mode: 'RO' };
    harness.input(start(withVolumes({ ...DATA, hostPath: './a//b', mode: 'RO' }, absolute)));
    expect(launched(harness)).toMatchObject({
      sandboxVolumes: [{ names: ['a', 'b'], target: '/data', readOnly: true }],
      options: expect.arrayContaining(['-v', '/h:/mnt/mesos/sandbox/in/sandbox:ro']),
    });
    expect(launched(harness)?.options.join(' ')).not.toContain('/data');
  });

  it.each([
    [{ ...DATA, hostPath: 'a/../b' }, /'\.\.'/],
    [{ hostPath: '/h', containerPath: '../x' }, /'\.\.'/],
    [{ hostPath: 'a', containerPath: 'b' }, /two relative paths/],
    [{ ...DATA, propagation: 'slave' }, /needs a hostPath that is a path of the host/],
  ])('is refused in %j', (volume, error) => {
    const read = readDefinition({ id: '/db', container: { docker, volumes: [volume] } });
    expect(JSON.stringify(read)).toMatch(error);
    expect(read).toHaveProperty('errors');
  });

  it('of an app without one is not stored with it, so that earlier releases can read the app', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(withVolumes({ ...DATA, hostPath: '/data' })));
    expect(harness.state.apps.get('/db')?.app).not.toHaveProperty('sandboxVolumes');
    expect(launched(harness)).not.toHaveProperty('sandboxVolumes');
  });
});

describe('an app of an earlier release with the name of a volume of Docker', () => {
  it('keeps the volume until its relative paths change, with a warning at each change', () => {
    const harness = earlier();
    expect(launched(harness)?.options).toEqual(expect.arrayContaining(['-v', 'data:/data:rw']));
    harness.input(update('/db', { env: { A: 'b' } }));
    expect(launched(harness)?.options).toEqual(expect.arrayContaining(['-v', 'data:/data:rw']));
    const warnings = () => harness.state.apps.get('/db')?.app.warnings ?? [];
    expect(warnings()).toEqual([
      {
        path: ['container', 'volumes', 0, 'hostPath'],
        error: expect.stringMatching(/^is still the name of a volume of Docker.*the value data:\/data;/),
      },
    ]);
    harness.input(update('/db', { instances: 2 }));
    harness.rest();
    expect(warnings()).toHaveLength(1);
    const volumes = [DATA, { hostPath: 'more', containerPath: '/more' }];
    harness.input(update('/db', { container: { type: 'DOCKER', docker, volumes } }));
    expect(launched(harness)?.sandboxVolumes).toHaveLength(2);
    expect(warnings()).toEqual([]);
  });

  it('gets it back with an earlier version', () => {
    const harness = earlier();
    const { version = '' } = harness.state.apps.get('/db')?.app ?? {};
    harness.input(
      update('/db', { container: { type: 'DOCKER', docker, volumes: [{ ...DATA, hostPath: 'x' }] } }),
    );
    expect(launched(harness)?.sandboxVolumes).toHaveLength(1);
    harness.input(changed([{ op: 'revert', appId: '/db', version }]));
    expect(launched(harness)?.options).toEqual(expect.arrayContaining(['-v', 'data:/data:rw']));
  });

  it('is in the sandbox after it was removed and created again', () => {
    const harness = earlier();
    const { app } = harness.state.apps.get('/db') ?? {};
    if (!app) throw new Error('no app');
    harness.input(changed([{ op: 'remove', appId: '/db' }]));
    harness.rest();
    harness.input(start({ ...app, ...definitionOf(app) }));
    expect(launched(harness)?.sandboxVolumes).toHaveLength(1);
  });
});
