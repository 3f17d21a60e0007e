/** The API's description as an HTML page, without scripts and without external resources. */

import type { JsonSchema, OpenApi } from './document.ts';

interface Described {
  summary: string;
  description: string;
  tags: string[];
  parameters?: { name: string; in: string; description?: string }[];
  requestBody?: { content: { 'application/json': { schema: JsonSchema } } };
  responses: Record<string, { description: string; content?: Record<string, { schema: JsonSchema }> }>;
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
code,.verb{font-family:ui-monospace,monospace}.verb{font-weight:bold;display:inline-block;min-width:5rem}
details{border-top:1px solid #ccc;padding:.3rem 0}summary{cursor:pointer}table{border-collapse:collapse;margin:.5rem 0}
td,th{text-align:left;vertical-align:top;padding:.2rem 1rem .2rem 0}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8bf}}`;

export function openApiPage({ info, paths, components }: OpenApi): string {
  const groups = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, described] of Object.entries(operations)) {
      const operation = described as Described;
      const tag = operation.tags[0] ?? '';
      groups.set(tag, [...(groups.get(tag) ?? []), operationHtml(method, path, operation)]);
    }
  }
  const operations = [...groups].map(([tag, list]) => `<h2>${escaped(tag)}</h2>${list.join('')}`).join('');
  const bodies = Object.entries(components.schemas)
    .map(([name, schema]) => `<h3 id="${escaped(name)}">${escaped(name)}</h3>${fieldsHtml(schema)}`)
    .join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(info.title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(info.title)}</h1><p>${escaped(info.description)} For programs: <a href="/v2/openapi.json">openapi.json</a>.</p>
${operations}<h2>Bodies</h2>${bodies}</body></html>\n`;
}

function operationHtml(method: string, path: string, operation: Described): string {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const rows = parameters.map(
    ({ name, in: where, description = '' }) =>
      `<tr><td><code>${escaped(name)}</code></td><td>${escaped(where)}</td><td>${escaped(description)}</td></tr>`,
  );
  const schema = requestBody?.content['application/json'].schema;
  const answers = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const forms = Object.entries(content).map(
      ([type, { schema }]) => `${escaped(type)}: ${typeHtml(schema)}`,
    );
    return `<tr><td>${escaped(status)}</td><td>${escaped(description)}</td><td>${forms.join('<br>')}</td></tr>`;
  });
  return `<details><summary><span class="verb">${escaped(method.toUpperCase())}</span><code>${escaped(path)}</code> ${escaped(summary)}</summary>
<p>${escaped(description)}</p><table>${rows.join('')}${answers.join('')}</table>${schema ? `<p>Body: ${typeHtml(schema)}</p>` : ''}</details>`;
}

function fieldsHtml(schema: JsonSchema): string {
  const { properties, required = [], description } = schema;
  if (!properties) return `<p>${typeHtml(schema)}</p>`;
  const rows = Object.entries(properties).map(([name, schema]) => {
    const preset =
      schema.default === undefined ? '' : `<code>${escaped(JSON.stringify(schema.default))}</code>`;
    const note = required.includes(name) ? 'required' : preset;
    return `<tr><td><code>${escaped(name)}</code></td><td>${typeHtml(schema)}</td><td>${note}</td></tr>`;
  });
  return `${description === undefined ? '' : `<p>${escaped(description)}</p>`}<table><tr><th>field</th><th>kind</th><th>default</th></tr>${rows.join('')}</table>`;
}

function typeHtml(schema: JsonSchema): string {
  const { $ref: ref, type, items, properties, anyOf, oneOf = anyOf, const: fixed, enum: choices } = schema;
  if (ref !== undefined) {
    const name = escaped(ref.split('/').at(-1) ?? '');
    return `<a href="#${name}">${name}</a>`;
  }
  if (Array.isArray(choices))
    return choices.map((one) => `<code>${escaped(String(one))}</code>`).join(' or ');
  if (fixed !== undefined) return `<code>${escaped(String(fixed))}</code>`;
  if (oneOf) return oneOf.map(typeHtml).join(' or ');
  if (items) return `list of ${typeHtml(items)}`;
  if (properties) return `<details><summary>object</summary>${fieldsHtml(schema)}</details>`;
  return escaped([type ?? 'any'].flat().join(' or '));
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
