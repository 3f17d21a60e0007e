import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => vi.unstubAllGlobals());

it('rolls back only the version that the user has seen', async () => {
  const asked: string[] = [];
  vi.stubGlobal('location', { origin: 'http://scheduler.example' });
  vi.stubGlobal('document', { hidden: true });
  vi.stubGlobal('fetch', async (url: string, { method, body }: RequestInit) => {
    asked.push(`${method} ${url} ${body}`);
    return Response.json({ version: '3', deploymentId: 'd' });
  });
  vi.resetModules();
  const { revertApp } = await import('./changes.ts');
  await revertApp('/a', '1', '2');
  expect(asked).toEqual(['PUT http://scheduler.example/v2/apps/a?ifVersion=2 {"version":"1"}']);
});
