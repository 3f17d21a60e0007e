import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import MonitoringConfig from './commands/monitoring/config.ts';

const root = path.resolve('.');

test('writes the configuration also with --json', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-config-'));
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  try {
    await MonitoringConfig.run(['--schedulers', 'http://s1:8080', '-o', directory, '--json'], { root });
    expect(await readFile(path.join(directory, 'prometheus.yml'), 'utf8')).toContain('s1:8080');
  } finally {
    vi.restoreAllMocks();
    await rm(directory, { recursive: true });
  }
});
