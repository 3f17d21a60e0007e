import { count } from '../../../text/count.ts';
import { removeApp, restartApps, scaleApps } from '../../changes.ts';
import { ask } from '../../parts/dialog.tsx';
import { attemptForcibly } from '../../parts/forcible.tsx';
import { navigate } from '../../router.ts';
import { plain } from '../../state/plain.ts';
import type { FullApp } from './full-app.ts';

/** The changes of an app. */
export function AppButtons({ app, reload }: { app: FullApp; reload: () => void }) {
  const { id, instances, mode } = app;
  const name = plain(id);
  const change = async (done: string, make: Parameters<typeof attemptForcibly>[1]) => {
    if (await attemptForcibly(done, make)) reload();
  };
  const scale = async () => {
    const body = (
      <label>
        Instances
        <input name="instances" type="number" min="0" step="1" required value={instances} />
      </label>
    );
    const values = await ask({ title: `Scale ${name}`, action: 'Scale', body });
    const wanted = Number(values?.get('instances'));
    if (values)
      await change(`${name} will have ${count(wanted, 'instance')}.`, (how) => scaleApps([id], wanted, how));
  };
  const restart = async () => {
    const body = <p>All its tasks are replaced, as its upgrade strategy says.</p>;
    if (!(await ask({ title: `Restart ${name}?`, action: 'Restart', body }))) return;
    await change(`${name} will be restarted.`, (how) => restartApps([id], how));
  };
  const suspend = async () => {
    const body = <p>It is scaled to 0 instances, and all its tasks end.</p>;
    if (!(await ask({ title: `Suspend ${name}?`, action: 'Suspend', body, isDangerous: true }))) return;
    await change(`${name} will be suspended.`, (how) => scaleApps([id], 0, how));
  };
  const remove = async () => {
    const body = <p>Its tasks are killed, and its versions are forgotten. This can't be undone.</p>;
    if (!(await ask({ title: `Delete ${name}?`, action: 'Delete', body, isDangerous: true }))) return;
    if (await attemptForcibly(`${name} will be deleted.`, (how) => removeApp(id, how)))
      navigate({ view: 'apps' });
  };
  return (
    <div class="buttons">
      {mode !== 'daemon' && (
        <button type="button" onClick={scale}>
          Scale …
        </button>
      )}
      <button type="button" onClick={restart}>
        Restart …
      </button>
      {mode !== 'daemon' && instances > 0 && (
        <button type="button" onClick={suspend}>
          Suspend …
        </button>
      )}
      <button type="button" onClick={() => navigate({ view: 'create', from: id })}>
        Copy
      </button>
      <button type="button" class="primary" onClick={() => navigate({ view: 'edit', id })}>
        Edit
      </button>
      <button type="button" class="danger" onClick={remove}>
        Delete …
      </button>
    </div>
  );
}
