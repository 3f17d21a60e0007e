import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PLAN } from '../../test/executor/plan.ts';
import { admitContainer, readPolicy } from './agent-policy.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'agent-policy-'));
  file = path.join(dir, 'executor.json');
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('the file', () => {
  test('may be missing', () => {
    expect(readPolicy(file)).toEqual({ file, policy: {} });
  });

  test.each([
    ['{"registries": {"r": {"password": "secret"', 'is not valid JSON'],
    ['{"allowPrivileged": 1}', 'allowPrivileged must be true or false'],
  ])('%s has a problem, without the content', (content, problem) => {
    writeFileSync(file, content);
    expect(readPolicy(file)).toEqual({ file, problem });
  });

  test('that contains passwords must not be readable by others', () => {
    const content = { registries: { 'r.example': { username: 'u', password: 'p' } } };
    writeFileSync(file, JSON.stringify(content), { mode: 0o644 });
    const problem = `contains passwords, but other users can read it. Run: chmod 600 ${file}`;
    expect(readPolicy(file)).toEqual({ file, problem });
    chmodSync(file, 0o640);
    expect(readPolicy(file)).toEqual({ file, policy: content });
  });

  test('that can’t be read has a problem', () => {
    mkdirSync(file);
    expect(readPolicy(file)).toMatchObject({ problem: expect.stringContaining("can't be read: EISDIR") });
  });
});

describe('mounted paths', () => {
  const engine = {
    inspectVolume: async (name: string) =>
      name === 'bound'
        ? { Driver: 'local', Options: { type: 'none', o: 'bind', device: `${dir}/out` } }
        : undefined,
  };

  function admit(option: string): Promise<string[]> {
    return admitContainer({ ...PLAN, options: [option] }, file, engine).then(({ plan }) => plan.options);
  }

  beforeEach(() => {
    mkdirSync(`${dir}/in/deep`, { recursive: true });
    mkdirSync(`${dir}/out`);
    symlinkSync(`${dir}/out`, `${dir}/in/link`);
    symlinkSync(`${dir}/missing`, `${dir}/in/dangling`);
    symlinkSync(`${dir}/in`, `${dir}/way`);
    writeFileSync(file, JSON.stringify({ allowedHostPaths: [{ path: `${dir}/way` }] }));
  });

  test.each(['in/deep', 'way/deep', 'out/../in/deep', 'in/deep/', 'in//deep', 'in/link/../deep'])(
    '%s is the checked path, without links',
    async (source) => {
      expect(await admit(`--volume=${dir}/${source}:/x`)).toEqual([`--volume=${dir}/in/deep:/x`]);
    },
  );

  test('a missing directory below an allowed one may be created', async () => {
    expect(await admit(`--volume=${dir}/way/new/one:/x`)).toEqual([`--volume=${dir}/in/new/one:/x`]);
  });

  test.each(['out', 'in/link', 'in/link/x', 'in/dangling', 'in/dangling/x', 'in/../out', 'missing', '.'])(
    '%s is refused',
    async (source) => {
      await expect(admit(`--volume=${dir}/${source}:/x`)).rejects.toThrow('allowedHostPaths');
    },
  );

  test('a volume whose driver mounts a path of the host is refused', async () => {
    await expect(admit('--volume=bound:/x')).rejects.toThrow(`which is ${dir}/out,`);
    expect(await admit('--volume=other:/x')).toEqual(['--volume=other:/x']);
  });

  test('nothing changes without a policy', async () => {
    writeFileSync(file, '{}');
    expect(await admit(`--volume=${dir}/in/link:/x`)).toEqual([`--volume=${dir}/in/link:/x`]);
  });
});
