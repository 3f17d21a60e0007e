import { useRef } from 'preact/hooks';
import type { Json } from '../../../json.ts';
import { api, SHORT } from '../../live/api.ts';
import { Show, useLoaded } from '../../parts/loaded.tsx';
import { query } from '../../router.ts';
import { definitionOf, newDefinition } from '../../state/definition.ts';
import { plain } from '../../state/plain.ts';
import { BASE } from '../../state/route.ts';
import { isOperator } from '../../store.ts';
import { Editor } from './editor.tsx';

/** Creates an app; `from`: as a copy of another one. */
export function Create({ group, from }: { group: string | undefined; from: string | undefined }) {
  if (!isOperator.value) return <NotAllowed />;
  return (
    <>
      <h1>Create an app</h1>
      {from === undefined ? <Editor app={undefined} base={newDefinition(group)} /> : <Copy from={from} />}
    </>
  );
}

function Copy({ from }: { from: string }) {
  const app = useLoaded(() => readApp(from), from);
  return (
    <Show of={app}>
      {({ definition }) => <Editor app={undefined} base={{ ...definition, id: `${from}-copy` }} />}
    </Show>
  );
}

export function Edit({ id }: { id: string }) {
  if (!isOperator.value) return <NotAllowed />;
  return (
    <>
      <h1>Edit {plain(id)}</h1>
      <Loaded key={query.value.get('again') ?? ''} id={id} />
    </>
  );
}

function Loaded({ id }: { id: string }) {
  const app = useLoaded(() => readApp(id), id, { concerns: ({ apps }) => apps.includes(id) });
  const base = useRef<{ readonly definition: Json; readonly version: string } | undefined>(undefined);
  base.current ??= app.value;
  if (app.isMissing) {
    return (
      <div class="panel empty">
        <p>{plain(id)} does not exist any more.</p>
        <a href={BASE}>Show all apps</a>
      </div>
    );
  }
  return (
    <Show of={app}>
      {({ version }) =>
        base.current && (
          <Editor
            app={{ id, version: base.current.version }}
            base={base.current.definition}
            isOutdated={version !== base.current.version}
          />
        )
      }
    </Show>
  );
}

async function readApp(id: string): Promise<{ definition: Json; version: string }> {
  const { app } = await api.call('GET', '/v2/apps/{id}', { path: { id } }, SHORT);
  return { definition: definitionOf({ ...app }), version: app.version };
}

function NotAllowed() {
  return (
    <div class="panel empty">
      <p>Changes need the role operator. Sign in as another user, or ask an operator.</p>
      <a href={BASE}>Show all apps</a>
    </div>
  );
}
