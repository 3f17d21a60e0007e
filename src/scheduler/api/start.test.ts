import { describe, expect, it } from 'vitest';
import { get, PAGE, post, server } from '../../../test/scheduler/api-server.ts';
import { DOCKER } from '../../../test/scheduler/fixtures.ts';

describe('POST /v1/apps/start', () => {
  it('accepts the call of the 2013 page, with its answer', async () => {
    const one = server();
    const answer = await post(one, '/v1/apps/start', PAGE);
    expect([answer.statusCode, answer.statusMessage, answer.headers['content-type'], answer.body]).toEqual([
      204,
      'No Content',
      'application/json',
      '',
    ]);
    expect((await get(one, '/v1/apps')).json()).toEqual([
      {
        id: 'multidis',
        cmd: 'johncosta/redis',
        env: {},
        instances: 2,
        cpus: 1,
        mem: 512,
        disk: 0,
        executor: DOCKER,
        constraints: [],
        uris: [],
        ports: [10_445],
      },
    ]);
  });

  it('fills in the defaults of omitted and null fields', async () => {
    const one = server();
    await post(one, '/v1/apps/start', {
      id: 'x',
      cmd: 'y',
      executor: null,
      nonsense: [1],
      taskRateLimit: '1.5',
      env: { A: 1, B: true },
    });
    expect((await get(one, '/v1/apps')).json()).toMatchObject([
      { instances: 0, cpus: 1, mem: 128, executor: '', env: { A: '1', B: 'true' }, taskRateLimit: 1.5 },
    ]);
    expect((await get(one, '/v1/apps')).body).not.toContain('nonsense');
  });

  it('reads constraints by name and by number', async () => {
    const one = server();
    const constraints = [
      ['hostname', 'unique'],
      ['rack', 1, 'a.*'],
      ['rack', '3', 2],
      ['rack', 2],
      ['rack', 'GROUP_BY', 2],
      ['rack', 'CLUSTER'],
    ];
    await post(one, '/v1/apps/start', { id: 'x', cmd: 'y', constraints, container: { image: 'i' } });
    expect((await get(one, '/v1/apps')).json()[0]).toMatchObject({
      constraints: [
        ['hostname', 'UNIQUE'],
        ['rack', 'LIKE', 'a.*'],
        ['rack', 'GROUP_BY', '2'],
        ['rack', 'CLUSTER'],
        ['rack', 'GROUP_BY', '2'],
        ['rack', 'CLUSTER'],
      ],
      container: { image: 'i', options: [] },
    });
  });

  it.each([
    [{ cmd: 'y' }, 'id', 'may not be empty'],
    [{ id: '', cmd: 'y' }, 'id', 'may not be empty'],
    [{ id: 5, cmd: 'y' }, 'id', 'must be a string'],
    [{ id: 'a b', cmd: 'y' }, 'id', "may only hold letters, digits, '_', '.' and '-'"],
    [{ id: 'a/../b', cmd: 'y' }, 'id', "may only hold letters, digits, '_', '.' and '-'"],
    [{ id: 'x'.repeat(201), cmd: 'y' }, 'id', 'may have at most 200 characters'],
    [{ id: 'x' }, 'cmd', 'may not be empty'],
    [{ id: 'x', cmd: 'a\0b' }, 'cmd', 'may not hold a NUL'],
    [{ id: 'x', cmd: 'y', cpus: -1 }, 'cpus', 'must be at least 0.001'],
    [{ id: 'x', cmd: 'y', cpus: 'many' }, 'cpus', 'must be a number'],
    [{ id: 'x', cmd: 'y', mem: 1e300 }, 'mem', 'must be at most 1000000000000'],
    [{ id: 'x', cmd: 'y', instances: -1 }, 'instances', 'must be at least 0'],
    [{ id: 'x', cmd: 'y', instances: 1.5 }, 'instances', 'must be a whole number'],
    [{ id: 'x', cmd: 'y', instances: '1e99' }, 'instances', 'must be at most 1000000'],
    [{ id: 'x', cmd: 'y', executor: 'docker' }, 'executor', "must be '//cmd', an absolute path, or empty"],
    [{ id: 'x', cmd: 'y', ports: [70_000] }, 'ports.0', 'must be at most 65535'],
    [{ id: 'x', cmd: 'y', ports: [80, 80] }, 'ports', 'must be different from each other'],
    [{ id: 'x', cmd: 'y', ports: '80' }, 'ports', 'must be an array of numbers'],
    [{ id: 'x', cmd: 'y', env: [] }, 'env', 'must be an object of strings'],
    [{ id: 'x', cmd: 'y', env: { A: {} } }, 'env.A', 'must be a string'],
    [{ id: 'x', cmd: 'y', env: { 'A=': '' } }, 'env.A=', 'is not the name of a variable'],
    [{ id: 'x', cmd: 'y', constraints: [['a']] }, 'constraints.0', 'must be [field, operator, value]'],
    [
      { id: 'x', cmd: 'y', constraints: [['a', 'NEAR']] },
      'constraints.0',
      "has an unknown operator 'NEAR': expected one of UNIQUE, LIKE, CLUSTER, GROUP_BY, UNLIKE, MAX_PER, IS",
    ],
    [
      { id: 'x', cmd: 'y', constraints: [['a', '']] },
      'constraints.0',
      "has an unknown operator '': expected one of UNIQUE, LIKE, CLUSTER, GROUP_BY, UNLIKE, MAX_PER, IS",
    ],
    [
      { id: 'x', cmd: 'y', constraints: [['a', 'UNLIKE', '(a+)+\\1']] },
      'constraints.0',
      'UNLIKE has a pattern that uses lookaround, backreferences or too much repetition: (a+)+\\1',
    ],
    [{ id: 'x', cmd: 'y', constraints: [['a', 'LIKE']] }, 'constraints.0', 'LIKE needs a pattern'],
    [
      { id: 'x', cmd: 'y', constraints: [['a', 'LIKE', '(']] },
      'constraints.0',
      'LIKE has a pattern that is not a regular expression: (',
    ],
    [
      { id: 'x', cmd: 'y', constraints: [['a', 'GROUP_BY', 'x']] },
      'constraints.0',
      'GROUP_BY takes a number of groups',
    ],
    [{ id: 'x', cmd: 'y', container: { image: 'a\0' } }, 'container.image', 'may not hold a NUL'],
    [{ id: 'x', cmd: 'y', container: { image: '' } }, 'container.image', 'may not be empty'],
    [{ id: 'x', cmd: 'y', container: 'redis' }, 'container', 'must be an object with an image'],
    [[], 'body', 'must be a JSON object'],
    ['"x"', 'body', 'must be a JSON object'],
  ])('refuses %j', async (body, attribute, error) => {
    const one = server();
    const answer = await post(one, '/v1/apps/start', body);
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()).toEqual({ errors: [{ attribute, error }] });
    expect((await get(one, '/v1/apps')).json()).toEqual([]);
  });

  it('reports all errors at once', async () => {
    const answer = await post(server(), '/v1/apps/start', { id: '-', cpus: 'x', mem: -1 });
    expect(answer.json().errors.map(({ attribute }: { attribute: string }) => attribute)).toEqual([
      'cpus',
      'mem',
    ]);
  });

  it('refuses a second start', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    const answer = await post(one, '/v1/apps/start', PAGE);
    expect([answer.statusCode, answer.body]).toEqual([
      422,
      `{"errors":[{"attribute":"id","error":"Already started app 'multidis'"}]}`,
    ]);
  });

  it('accepts JSON with any content type, such as the form of curl -d', async () => {
    const one = server();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post(one, '/v1/apps/start', PAGE, type)).statusCode).toBe(204);
  });

  it('answers 400 to a body that is not JSON', async () => {
    const one = server();
    for (const body of ['{', 'id=x', '{"id":"x",}', '']) {
      const answer = await post(one, '/v1/apps/start', body);
      expect([400, 422]).toContain(answer.statusCode);
      expect(answer.json()).toBeTypeOf('object');
    }
    expect((await post(one, '/v1/apps/start', '{')).json().message).toMatch(/^The body is not JSON: /);
    expect(one.faults).toEqual([]);
  });

  it('rejects calls from pages of other sites', async () => {
    const one = server();
    expect((await post(one, '/v1/apps/start', PAGE, { host: 'h:1', origin: 'http://evil' })).statusCode).toBe(
      403,
    );
    expect((await post(one, '/v1/apps/start', PAGE, { host: 'h:1', origin: 'null' })).statusCode).toBe(403);
    expect((await post(one, '/v1/apps/start', PAGE, { host: 'h:1', origin: 'http://h:1' })).statusCode).toBe(
      204,
    );
  });

  it('handles names such as __proto__', async () => {
    const one = server();
    const body =
      '{"id":"x","cmd":"y","__proto__":{"cpus":9},"constructor":1,"env":{"__proto__":"z","constructor":"w"}}';
    expect((await post(one, '/v1/apps/start', body)).statusCode).toBe(204);
    expect((await get(one, '/v1/apps')).json()[0]).toMatchObject({ cpus: 1, env: { constructor: 'w' } });
  });

  it('answers soon even if a pattern backtracks a lot', async () => {
    const one = server();
    const constraints = [['hostname', 'LIKE', '((((((((\\w|\\.)*)*)*)*)*)*)*)*!']];
    await post(one, '/v1/apps/start', { id: 'x', cmd: 'y', instances: 1, constraints });
    await one.run();
    expect((await get(one, '/v1/tasks')).json()).toEqual({ x: [] });
  });

  it('limits the number of reported errors', async () => {
    const constraints = Array.from({ length: 10_000 }, () => []);
    const answer = await post(server(), '/v1/apps/start', { id: 'x', cmd: 'y', constraints });
    expect(answer.statusCode).toBe(422);
    expect(answer.json().errors).toHaveLength(100);
  });
});
