import { useState } from 'preact/hooks';
import { differencesOf } from '../../../apps/difference.ts';
import { revertApp } from '../../changes.ts';
import { api, SHORT } from '../../live/api.ts';
import { ask } from '../../parts/dialog.tsx';
import { Differences } from '../../parts/differences.tsx';
import { attemptForcibly } from '../../parts/forcible.tsx';
import { Show, useLoaded } from '../../parts/loaded.tsx';
import { Age, When } from '../../parts/time.tsx';
import { plain } from '../../state/plain.ts';
import { isOperator } from '../../store.ts';
import type { FullApp } from './full-app.ts';

/** Versions shown at once; each costs a request. */
const PAGE = 20;
const AT_ONCE = 4;

type Definition = { readonly version: string } & object;

/** The versions of the app with their differences, newest first. */
export function Versions({ app: { id, version } }: { app: FullApp }) {
  const [shown, setShown] = useState(PAGE);
  const versions = useLoaded(() => readVersions(id, shown), `${id} ${version} ${shown}`);
  return (
    <Show of={versions}>
      {({ definitions, total }) => (
        <ol class="plain-list stack">
          {definitions.slice(0, shown).map((one, i) => (
            <Entry key={one.version} id={id} one={one} before={definitions[i + 1]} isCurrent={i === 0} />
          ))}
          {total > shown && (
            <li>
              <button type="button" onClick={() => setShown(shown + PAGE)}>
                Show older versions
              </button>
            </li>
          )}
        </ol>
      )}
    </Show>
  );
}

function Entry({
  id,
  one,
  before,
  isCurrent,
}: {
  id: string;
  one: Definition;
  before: Definition | undefined;
  isCurrent: boolean;
}) {
  const differences = before && differencesOf({ ...before }, { ...one });
  return (
    <li class="panel">
      <div class="head">
        <h2>
          <When at={one.version} date />{' '}
          <span class="faint">{isCurrent ? 'current' : <Age at={one.version} />}</span>
        </h2>
        {isOperator.value && !isCurrent && (
          <button type="button" onClick={() => rollBack(id, one.version)}>
            Roll back to this …
          </button>
        )}
      </div>
      {differences === undefined ? (
        <p class="faint">The first version that is kept.</p>
      ) : differences.length === 0 ? (
        <p class="faint">No difference: the app was restarted.</p>
      ) : (
        <Differences of={differences} />
      )}
    </li>
  );
}

async function rollBack(id: string, version: string): Promise<void> {
  const current = await api.call('GET', '/v2/apps/{id}', { path: { id } }, SHORT);
  const wanted = await readVersion(id, version);
  const { version: seen, ...definition } = current.app;
  const differences = differencesOf(keysOf(definition, wanted), { ...wanted });
  const body = (
    <>
      <p>The app gets the definition of that version again:</p>
      <Differences of={differences} />
      {differences.length === 0 && <p>Its definition is the same, so its tasks are not replaced.</p>}
    </>
  );
  if (!(await ask({ title: `Roll back ${plain(id)}?`, action: 'Roll back', body }))) return;
  await attemptForcibly(`${plain(id)} is rolled back.`, (how) => revertApp(id, version, seen, how));
}

/** The fields of the answer that a version has, too. */
function keysOf(app: object, version: Definition): Record<string, unknown> {
  return Object.fromEntries(Object.entries(app).filter(([name]) => name in version));
}

function readVersion(id: string, version: string): Promise<Definition> {
  return api.call('GET', '/v2/apps/{id}/versions/{version}', { path: { id, version } }, SHORT);
}

/** Reads one more than are shown, for the differences of the last one. */
async function readVersions(
  id: string,
  shown: number,
): Promise<{ definitions: Definition[]; total: number }> {
  const { versions } = await api.call('GET', '/v2/apps/{id}/versions', { path: { id } }, SHORT);
  const wanted = versions.slice(0, shown + 1);
  const definitions: Definition[] = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    definitions.push(
      ...(await Promise.all(wanted.slice(at, at + AT_ONCE).map((one) => readVersion(id, one)))),
    );
  }
  return { definitions, total: versions.length };
}
