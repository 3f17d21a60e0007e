import { describe, expect, it } from 'vitest';
import { account } from '../../../../test/scheduler/accounts.ts';
import { call, type Server, server, withApp } from '../../../../test/scheduler/api-server.ts';

const CONTAINER = { container: { docker: { image: 'redis' } } };

async function taskOf(one: Server): Promise<string> {
  return one.runner.read((state) => [...state.tasks.keys()][0] ?? '');
}

async function create(one: Server, body: unknown, headers: Record<string, string> = {}) {
  return call(one, 'POST', `/v2/tasks/${await taskOf(one)}/exec`, body, headers);
}

describe('an exec session', () => {
  it('is created for a task in a container', async () => {
    const one = await withApp(CONTAINER);
    const answer = await create(one, { argv: ['sh'], tty: true, columns: 80, rows: 24 });
    expect(answer.statusCode).toBe(201);
    const { id, url, expiresAt } = answer.json();
    expect(id).toMatch(/^[\w-]{32}$/);
    expect([url, answer.headers.location]).toEqual([`/v2/exec/${id}`, `/v2/exec/${id}`]);
    expect(Date.parse(expiresAt)).toBe(1_700_000_030_000);
    expect((await create(one, { argv: ['sh'] })).json().id).not.toBe(id);
  });

  it('is created for a container with fetched files, whose executor is its own', async () => {
    const one = await withApp({ ...CONTAINER, fetch: [{ uri: 'http://h/f' }] });
    expect((await create(one, { argv: ['sh'] })).statusCode).toBe(201);
  });

  it('is refused for a plain command, another executor, and one of Mesos’ containerizers', async () => {
    for (const more of [
      {},
      { executor: '/other' },
      { ...CONTAINER, labels: { MESOSUP_CONTAINERIZER: 'docker' } },
    ]) {
      const answer = await create(await withApp(more), { argv: ['sh'] });
      expect(answer.statusCode).toBe(409);
      expect(answer.json().message).toMatch(/has no container of mesosup's Docker executor/);
    }
  });

  it('is refused for a task that does not exist or does not run', async () => {
    const one = await withApp(CONTAINER);
    expect((await call(one, 'POST', '/v2/tasks/none/exec', { argv: ['sh'] })).statusCode).toBe(404);
    const task = await taskOf(one);
    one.mesos.advance(task, 'TASK_UNREACHABLE', {});
    for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
    const answer = await create(one, { argv: ['sh'] });
    expect([answer.statusCode, answer.json().message]).toEqual([
      409,
      expect.stringContaining('TASK_UNREACHABLE'),
    ]);
  });

  it.each([
    [{}, '/argv'],
    [{ argv: [] }, '/argv'],
    [{ argv: [''] }, '/argv'],
    [{ argv: 'sh' }, '/argv'],
    [{ argv: ['sh', 'a\0b'] }, '/argv(1)'],
    [{ argv: ['sh'], tty: 'yes' }, '/tty'],
    [{ argv: ['sh'], environment: { 'A=B': 'x' } }, '/environment/A=B'],
    [{ argv: ['sh'], workingDirectory: 'tmp' }, '/workingDirectory'],
    [{ argv: ['sh'], columns: 80, rows: 24 }, '/columns'],
    [{ argv: ['sh'], tty: true, rows: 24 }, '/rows'],
    [{ argv: ['sh'], shell: true }, '/'],
  ])('is refused for an invalid body, with the path of the field: %j', async (body, path) => {
    const answer = await create(await withApp(CONTAINER), body);
    expect(answer.statusCode).toBe(422);
    expect(answer.json().details).toMatchObject([{ path }]);
  });

  it('is refused with --disable_exec', async () => {
    const one = server({ exec: undefined });
    for (const answer of [
      await call(one, 'POST', '/v2/tasks/t/exec', { argv: ['sh'] }),
      await call(one, 'GET', '/v2/exec/x'),
    ])
      expect([answer.statusCode, answer.json().message]).toEqual([
        403,
        expect.stringContaining('--disable_exec'),
      ]);
  });

  it('begins with a WebSocket of the own site only', async () => {
    const one = await withApp(CONTAINER);
    const { url } = (await create(one, { argv: ['sh'] })).json();
    const begin = async (origin?: string) =>
      (
        await call(one, 'GET', url, undefined, {
          ...(origin !== undefined && { origin }),
          host: 'scheduler:8080',
          upgrade: 'websocket',
        })
      ).statusCode;
    expect(await begin('http://evil.example')).toBe(403);
    expect(await begin('null')).toBe(403);
    // Injected requests have no connection.
    expect(await begin('http://scheduler:8080')).toBe(426);
    expect(await begin()).toBe(426);
  });

  it('needs an operator', async () => {
    const one = server({ accounts: [account('vera', 'viewer', '0123456789abcdef', 'token')] });
    const headers = { authorization: 'Bearer 0123456789abcdef' };
    expect((await call(one, 'POST', '/v2/tasks/t/exec', { argv: ['sh'] }, headers)).statusCode).toBe(403);
    expect((await call(one, 'GET', '/v2/exec/x', undefined, headers)).statusCode).toBe(403);
    expect((await call(one, 'GET', '/v2/exec/x')).statusCode).toBe(401);
  });
});
