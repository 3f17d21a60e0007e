import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseSchedulers, readSchedulers } from './schedulers.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'schedulers-'));
});
afterAll(() => rm(directory, { recursive: true }));

it('reads the addresses and the file of the certificates', async () => {
  const file = path.join(directory, 'schedulers.json');
  const ca = path.join(directory, 'ca.pem');
  await writeFile(
    file,
    JSON.stringify({ schedulers: ['http://10.0.0.1:8080', 'https://[fd00::1]:8443'], ca }),
  );
  const { urls, ca: read } = await readSchedulers(file);
  expect(urls.map(({ host }) => host)).toEqual(['10.0.0.1:8080', '[fd00::1]:8443']);
  expect(read).toBe(ca);
  await expect(readSchedulers(undefined)).rejects.toThrow('MESOSUP_SCHEDULERS_FILE is not set');
});

it.each([
  ['{', 'must be a JSON object'],
  ['{}', 'schedulers must be a list of addresses'],
  ['{"schedulers": []}', 'schedulers must be a list of addresses'],
  ['{"schedulers": ["http://h", 1]}', 'schedulers[1] must be an address'],
  ['{"schedulers": ["h:8080"]}', 'schedulers[0] must be an address'],
  ['{"schedulers": ["http://h:8080/path"]}', 'schedulers[0] must be an address'],
  ['{"schedulers": ["http://h"], "ca": 1}', 'ca must be the path'],
  ['{"schedulers": ["http://h"], "CA": "/x"}', 'the field CA is unknown'],
])('refuses %s with the file and the field', (text, problem) => {
  expect(() => parseSchedulers('/etc/x.json', text)).toThrow(
    `/etc/x.json${problem.startsWith('must') ? ' ' : ': '}${problem}`,
  );
});
