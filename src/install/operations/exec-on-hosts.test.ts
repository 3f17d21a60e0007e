import { expect, test } from 'vitest';
import type { RunOptions } from '../../hosts/host.ts';
import { execOnHosts } from './exec-on-hosts.ts';
import type { Session } from './session.ts';

test('keeps the first lines of an output that is too large, without a gap', async () => {
  const lines = ['first', 'x'.repeat(1 << 20), 'last'];
  const scripts: string[] = [];
  const run = async (script: string, { onLine }: RunOptions) => {
    scripts.push(script);
    for (const line of lines) onLine?.(line);
    return { code: 0, signal: null };
  };
  const session = { atOnce: 1, host: () => ({ run }) } as unknown as Session;
  const seen: string[] = [];
  const { signal } = new AbortController();
  const outputs = await execOnHosts(session, ['a'], ['echo', "it's; $x"], signal, (_host, _stream, line) =>
    seen.push(line),
  );
  expect(outputs).toMatchObject([{ host: 'a', code: 0, stdout: 'first\n', stderr: '', truncated: true }]);
  expect(seen).toEqual(lines);
  expect(scripts).toEqual(["exec echo 'it'\\''s; $x'\n"]);
});
