import { describe, expect, it } from 'vitest';
import { fillIn, refuseUnused, settingsOf } from './variables.ts';

const variables = { set: { tag: '1.2', list: '[a]\nb: {{ var.tag }}' }, environment: { HOME: '/h' } };
const fill = (value: unknown, used = new Set<string>()) => fillIn(value, variables, 'app.yaml', used);

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the app's own variable
describe('fillIn', () => {
  it('replaces only marked variables, in texts at any depth', () => {
    const value = {
      image: 'web:{{ var.tag }}',
      args: ['{{env.HOME}}', '$HOME', '${PORT0}', '{{.Name}}'],
      n: 1,
    };
    expect(fill(value)).toEqual({ image: 'web:1.2', args: ['/h', '$HOME', '${PORT0}', '{{.Name}}'], n: 1 });
  });

  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the app's own variable

  it('makes no structure from values, and replaces nothing in them', () => {
    expect(fill({ cmd: '{{ var.list }}' })).toEqual({ cmd: '[a]\nb: {{ var.tag }}' });
    expect(fill({ cmd: '{{ var.tag }}$&' })).toEqual({ cmd: '1.2$&' });
  });

  it('refuses a variable that is not set, with its place', () => {
    expect(() => fill([{ env: { A: '{{ var.tga }}' } }])).toThrow(
      'app.yaml: [0].env.A: the variable tga is not set; did you mean "tag"?',
    );
    expect(() => fill({ a: '{{ env.NONE }}' })).toThrow('the variable NONE is not set in the environment');
    expect(() => fill({ a: '{{ var.toString }}' })).toThrow('toString is not set');
  });
});

it('refuses a setting that no file uses', () => {
  const used = new Set<string>();
  fill('{{ var.tag }}', used);
  expect(() => refuseUnused({ tag: 'x' }, used)).not.toThrow();
  expect(() => refuseUnused({ tga: 'x' }, used)).toThrow(
    '--set tga: no file has {{ var.tga }}; did you mean',
  );
});

it('reads settings', () => {
  expect(settingsOf(['a=b=c', 'd='])).toEqual({ a: 'b=c', d: '' });
  expect(() => settingsOf(['a'])).toThrow('--set a: expected NAME=VALUE');
});
