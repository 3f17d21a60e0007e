import { isJson } from '../../../json.ts';
import { When } from '../../parts/time.tsx';
import { definitionOf, hasNothing } from '../../state/definition.ts';
import { plain } from '../../state/plain.ts';
import type { FullApp } from './full-app.ts';

/** All fields of the definition that are in use, and the warnings about them. */
export function Config({ app }: { app: FullApp }) {
  const { warnings = [], version, versionInfo } = app;
  const fields = Object.entries(definitionOf({ ...app }));
  return (
    <>
      {warnings.map(({ path, message }) => (
        <p key={path} class="warning">
          <span class="mono">{plain(path)}</span> {plain(message)}
        </p>
      ))}
      <div class="panel stack">
        <dl class="facts">
          {fields.map(([name, value]) => (
            <Field key={name} name={name} value={value} />
          ))}
          <dt>version</dt>
          <dd>
            <When at={version} date />
          </dd>
          <dt>last change</dt>
          <dd>
            <When at={versionInfo.lastConfigChangeAt} date />
          </dd>
          <dt>last scaling</dt>
          <dd>
            <When at={versionInfo.lastScalingAt} date />
          </dd>
        </dl>
      </div>
    </>
  );
}

function Field({ name, value }: { name: string; value: unknown }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <Value value={value} />
      </dd>
    </>
  );
}

function Value({ value }: { value: unknown }) {
  if (Array.isArray(value)) {
    if (value.every((one) => !isJson(one))) return <code>{plain(value.map(text).join(' '))}</code>;
    return (
      <div class="stack">
        {value.map((one, i) => (
          <div key={i} class="item">
            <Value value={one} />
          </div>
        ))}
      </div>
    );
  }
  if (!isJson(value)) return <code>{plain(text(value))}</code>;
  return (
    <dl class="facts">
      {Object.entries(value)
        .filter(([, one]) => one === '' || !hasNothing(one))
        .map(([name, one]) => (
          <Field key={name} name={plain(name)} value={one} />
        ))}
    </dl>
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
