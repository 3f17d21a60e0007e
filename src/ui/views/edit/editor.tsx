import { useEffect, useRef, useState } from 'preact/hooks';
import { differencesOf } from '../../../apps/difference.ts';
import { isJson, type Json } from '../../../json.ts';
import { Differences } from '../../parts/differences.tsx';
import { attemptForcibly } from '../../parts/forcible.tsx';
import { navigate } from '../../router.ts';
import { formFieldOf, formOf, withForm } from '../../state/definition.ts';
import { plain, plainJson } from '../../state/plain.ts';
import { pathOf } from '../../state/route.ts';
import { type CheckResult, type EditedApp, submit, useCheck } from './check.ts';
import { Form, type FormErrors } from './form.tsx';
import { KeptText, useKeptText } from './kept-text.tsx';
import '../../style/edit.css';

const ACTIONS: Readonly<Record<string, string>> = {
  StartApplication: 'start',
  ScaleApplication: 'scale',
  RestartApplication: 'replace the tasks of',
  StopApplication: 'stop',
};

/**
 * Form and JSON side by side. Both change the same definition.
 * @param app to change; undefined for a new one
 * @param base the definition at the beginning
 */
export function Editor({
  app: current,
  base: currentBase,
  isOutdated: isChangedMeanwhile = false,
}: {
  app: EditedApp | undefined;
  base: Json;
  isOutdated?: boolean;
}) {
  const id = current?.id;
  const [begin, setBegin] = useState({ base: currentBase, version: current?.version });
  const { base, version } = begin;
  const app = id === undefined || version === undefined ? undefined : { id, version };
  const isOutdated = isChangedMeanwhile || version !== current?.version;
  const [definition, setDefinition] = useState<Json>(base);
  const [text, setText] = useState(() => plainJson(base));
  useKeptText(text, begin, text !== plainJson(base));
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const check = useCheck(definition, app, app !== undefined || definition !== base);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.querySelector<HTMLElement>('input:not(:disabled)')?.focus(), []);
  const errors = problem === undefined ? formErrors(check) : {};
  const isValid = problem === undefined && check.kind === 'valid';
  const changeText = (next: string) => {
    setText(next);
    try {
      const read: unknown = JSON.parse(next);
      if (!isJson(read)) throw new Error('the definition must be an object');
      setDefinition(read);
      setProblem(undefined);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const save = async () => {
    setBusy(true);
    const name = typeof definition.id === 'string' ? definition.id : (id ?? '');
    const done = id === undefined ? `${plain(name)} is being created.` : `${plain(name)} is being changed.`;
    const isDone = await attemptForcibly(done, (how) => submit(definition, app, how));
    setBusy(false);
    if (isDone) navigate({ view: 'app', id: name.startsWith('/') ? name : `/${name}`, tab: 'instances' });
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (isValid && !isBusy) void save();
      }}
    >
      <KeptText
        onTake={(kept) => {
          setBegin({ base: kept.base, version: kept.version });
          changeText(kept.text);
          document.getElementById('field-json')?.focus();
        }}
      />
      {isOutdated && id !== undefined && (
        <div class="warning" role="alert">
          Somebody else has changed {plain(id)} since you began to edit it.{' '}
          <a href={pathOf({ view: 'app', id, tab: 'versions' })}>See what has changed</a>, then{' '}
          <a href={`${pathOf({ view: 'edit', id })}?again=${Date.now()}`}>begin again with the new version</a>
          .
        </div>
      )}
      <div class="edit" ref={place}>
        <Form
          values={formOf(definition)}
          errors={errors}
          isNew={id === undefined}
          onChange={(change) => {
            const next = withForm(definition, change);
            setDefinition(next);
            setText(plainJson(next));
            setProblem(undefined);
          }}
        />
        <div class="panel stack">
          <label for="field-json">Definition as JSON</label>
          <textarea
            id="field-json"
            class="mono json"
            spellcheck={false}
            value={text}
            aria-invalid={problem !== undefined}
            onInput={({ currentTarget }) => changeText(currentTarget.value)}
          />
          {problem !== undefined && (
            <p class="problem" role="alert">
              This is not JSON: {problem}
            </p>
          )}
        </div>
      </div>
      <div class="panel stack edit-end">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled area must be reachable by keyboard */}
        <section class="edit-result" aria-label="Check of the definition" tabIndex={0}>
          <Result check={check} />
          {id !== undefined && <Changes base={base} definition={definition} />}
        </section>
        <div class="buttons">
          <button type="submit" class="primary" disabled={!isValid || isBusy || isOutdated}>
            {id === undefined ? 'Create the app' : 'Save the changes'}
          </button>
          <a
            class="button"
            href={id === undefined ? pathOf({ view: 'apps' }) : pathOf({ view: 'app', id, tab: 'instances' })}
          >
            Cancel
          </a>
        </div>
      </div>
    </form>
  );
}

function formErrors(check: CheckResult): FormErrors {
  if (check.kind !== 'refused') return {};
  const errors: Record<string, string> = {};
  for (const { field, why } of check.fields) {
    const name = formFieldOf(field);
    if (name !== undefined) errors[name] ??= why;
  }
  return errors;
}

function Result({ check }: { check: CheckResult }) {
  return (
    <div role="status" aria-live="polite">
      {check.kind === 'none' && <p class="faint">The scheduler checks what you fill in.</p>}
      {check.kind === 'checking' && <p class="faint">The scheduler checks the definition …</p>}
      {check.kind === 'refused' && (
        <div class="problem">
          {check.fields.length === 0 && <p>{plain(check.message)}</p>}
          <ul class="plain-list">
            {check.fields.map(({ field, why }) => (
              <li key={field}>
                <span class="mono">{plain(field) || 'definition'}</span>: {plain(why)}
              </li>
            ))}
          </ul>
        </div>
      )}
      {check.kind === 'valid' && (
        <>
          <p>
            <span class="state state-healthy">The definition is valid.</span> {stepsText(check)}
          </p>
          {check.plan.warnings?.map(({ path, message }) => (
            <p key={path} class="warning">
              <span class="mono">{plain(path)}</span> {plain(message)}
            </p>
          ))}
        </>
      )}
    </div>
  );
}

function stepsText({ plan: { steps } }: Extract<CheckResult, { kind: 'valid' }>): string {
  const actions = (steps ?? []).flatMap(({ actions: all }) => all);
  if (actions.length === 0) return 'No task has to be started or replaced.';
  return `It will ${actions.map(({ action, app }) => `${ACTIONS[action] ?? action} ${plain(app)}`).join(', then ')}.`;
}

function Changes({ base, definition }: { base: Json; definition: Json }) {
  const differences = differencesOf(base, definition);
  if (differences.length === 0) return <p class="faint">Nothing is changed yet.</p>;
  return <Differences of={differences} />;
}
