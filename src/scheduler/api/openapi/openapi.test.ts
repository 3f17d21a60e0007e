import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, it } from 'vitest';
import { call, get, server } from '../../../../test/scheduler/api-server.ts';
import { roleForMethod } from '../access-rules.ts';
import { openApi } from './openapi.ts';
import { OPERATIONS } from './operations.ts';

it('is a valid OpenAPI document', async () => {
  const answer = await get(server(), '/v2/openapi.json');
  const validator = new Validator();
  expect(await validator.validate(answer.json())).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  expect(answer.json()).toEqual(openApi('1'));
});

it('refers only to existing schemas', () => {
  const document = openApi('1');
  const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  expect(names.length).toBeGreaterThan(20);
  for (const [, name = ''] of names) expect(document.components.schemas).toHaveProperty(name);
});

it('lists exactly the existing routes, with the roles that they need', async () => {
  const routes: string[] = [];
  const one = server({ onRoute: (method, url, role) => routes.push(`${method} ${url} ${role}`) });
  await one.api.ready();
  const listed = OPERATIONS.map(({ method, path, route, role = roleForMethod(method) }) =>
    [method, route ?? path, role].join(' '),
  );
  expect([...new Set(listed)].sort()).toEqual(routes.filter((route) => !route.startsWith('HEAD ')).sort());
});

it('describes an app as the schema validates it', () => {
  const { App, Group } = openApi('1').components.schemas;
  expect(App?.required).toEqual(['id']);
  expect(App?.properties).toMatchObject({
    id: { type: 'string', minLength: 1 },
    instances: { type: 'number', minimum: 0, maximum: 1_000_000, default: 1 },
    cpus: { type: 'number', minimum: 0.001, default: 1 },
    killSelection: { enum: ['YOUNGEST_FIRST', 'OLDEST_FIRST'] },
    container: { properties: { docker: { properties: { image: { type: 'string' } }, required: ['image'] } } },
  });
  expect(Group?.properties?.groups?.items).toEqual({ $ref: '#/components/schemas/Group' });
});

it('answers each operation as described by an empty scheduler', async () => {
  for (const { method, path, body, refusals = [], answers } of OPERATIONS) {
    if (path === '/v2/events') continue;
    const url = path.replaceAll(/\{\w+\}/g, 'none');
    const sent = body === undefined ? undefined : Array.isArray(body) ? [] : {};
    const answer = await call(server(), method, url, sent);
    expect([...Object.keys(answers).map(Number), ...refusals], `${method} ${url}`).toContain(
      answer.statusCode,
    );
  }
});

it('has a page without external resources', async () => {
  const { body, headers } = await get(server(), '/v2/openapi');
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(body).not.toMatch(/<script|https?:\/\//);
  for (const { path } of OPERATIONS) expect(body).toContain(`<code>${path}</code>`);
  expect(body).toContain('<code>minimumHealthCapacity</code>');
});
