import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => vi.unstubAllGlobals());

it('tells the next user nothing of a change that ends after its session', async () => {
  vi.stubGlobal('location', { origin: 'http://scheduler.example' });
  vi.stubGlobal('document', { hidden: true });
  vi.resetModules();
  const { forget, session } = await import('../store.ts');
  const { attempt, Notices } = await import('./notices.tsx');
  const shown = () => JSON.stringify(Notices());
  const signIn = (name: string) => {
    forget();
    session.value = { state: 'open', name, role: 'operator', canSignOut: true };
  };
  signIn('ada');
  expect(await attempt('Scaled /secret.', async () => {})).toBe(true);
  expect(shown()).toContain('Scaled /secret.');

  for (const [error, result] of [
    [undefined, true],
    [new Error('/secret is locked'), false],
  ] as const) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const made = attempt('Scaled /secret.', async () => {
      await promise;
      if (error) throw error;
    });
    signIn('bob');
    resolve();
    expect(await made).toBe(result);
    expect(shown()).not.toContain('/secret');
  }
});
