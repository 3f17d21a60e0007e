import { count } from '../../text/count.ts';
import { restartApps, scaleApps } from '../changes.ts';
import { ask } from '../parts/dialog.tsx';
import { attemptForcibly } from '../parts/forcible.tsx';
import { plain } from '../state/plain.ts';
import { selected, selectNone } from './selection.ts';

/** Changes of all selected apps. */
export function BulkBar() {
  const ids = [...selected.value];
  if (ids.length === 0) return null;
  const apps = count(ids.length, 'app');
  return (
    <div class="bulk" role="group" aria-label="Changes of the selected apps">
      <strong>{apps} selected</strong>
      <button type="button" onClick={() => scale(ids)}>
        Scale …
      </button>
      <button type="button" onClick={() => restart(ids)}>
        Restart …
      </button>
      <button type="button" onClick={() => suspend(ids)}>
        Suspend …
      </button>
      <button type="button" class="quiet" onClick={selectNone}>
        Select none
      </button>
    </div>
  );
}

function Names({ ids }: { ids: readonly string[] }) {
  const shown = ids.slice(0, 8);
  return (
    <ul class="names">
      {shown.map((id) => (
        <li key={id}>{plain(id)}</li>
      ))}
      {ids.length > shown.length && <li>and {ids.length - shown.length} more</li>}
    </ul>
  );
}

async function scale(ids: readonly string[]): Promise<void> {
  const values = await ask({
    title: `Scale ${count(ids.length, 'app')}`,
    action: 'Scale',
    body: (
      <>
        <Names ids={ids} />
        <label>
          Instances of each
          <input name="instances" type="number" min="0" step="1" required />
        </label>
      </>
    ),
  });
  if (!values) return;
  const instances = Number(values.get('instances'));
  const done = `${count(ids.length, 'app')} will have ${count(instances, 'instance')} each.`;
  if (await attemptForcibly(done, (how) => scaleApps(ids, instances, how))) selectNone();
}

async function restart(ids: readonly string[]): Promise<void> {
  const title = `Restart ${count(ids.length, 'app')}?`;
  const body = (
    <>
      <Names ids={ids} />
      <p>All their tasks are replaced, as their upgrade strategies say.</p>
    </>
  );
  if (!(await ask({ title, action: 'Restart', body }))) return;
  if (await attemptForcibly(`${count(ids.length, 'app')} will be restarted.`, (how) => restartApps(ids, how)))
    selectNone();
}

async function suspend(ids: readonly string[]): Promise<void> {
  const title = `Suspend ${count(ids.length, 'app')}?`;
  const body = (
    <>
      <Names ids={ids} />
      <p>They are scaled to 0 instances, and all their tasks end.</p>
    </>
  );
  if (!(await ask({ title, action: 'Suspend', body, isDangerous: true }))) return;
  if (
    await attemptForcibly(`${count(ids.length, 'app')} will be suspended.`, (how) => scaleApps(ids, 0, how))
  )
    selectNone();
}
