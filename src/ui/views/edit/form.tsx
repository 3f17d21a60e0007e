import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { CHECKS, type Check, type FormValues } from '../../state/definition.ts';

export type FormErrors = Readonly<Partial<Record<keyof FormValues, string>>>;

/** The fields of a definition that most apps need. The JSON beside it has all. */
export function Form({
  values,
  errors,
  isNew,
  onChange,
}: {
  values: FormValues;
  errors: FormErrors;
  isNew: boolean;
  onChange: (change: Partial<FormValues>) => void;
}) {
  const input = (name: 'id' | 'image' | 'cmd' | 'ports' | 'checkTarget', more: object = {}) => (
    <input
      id={`field-${name}`}
      value={values[name]}
      autocapitalize="none"
      spellcheck={false}
      aria-invalid={errors[name] !== undefined}
      aria-describedby={errors[name] === undefined ? undefined : `error-${name}`}
      onInput={({ currentTarget }) => onChange({ [name]: currentTarget.value })}
      {...more}
    />
  );
  const numberInput = (name: 'instances' | 'cpus' | 'mem' | 'disk', title: string, step: string) => (
    <Field name={name} title={title} errors={errors}>
      <input
        id={`field-${name}`}
        type="number"
        min="0"
        step={step}
        value={values[name] ?? ''}
        aria-invalid={errors[name] !== undefined}
        aria-describedby={errors[name] === undefined ? undefined : `error-${name}`}
        onInput={({ currentTarget }) =>
          onChange({ [name]: currentTarget.value === '' ? undefined : currentTarget.valueAsNumber })
        }
      />
    </Field>
  );
  return (
    <div class="panel stack edit-form">
      <Field name="id" title="Id" errors={errors} hint="A path of groups and a name, for example /prod/web">
        {input('id', { required: true, disabled: !isNew, 'data-first': true })}
      </Field>
      <Field
        name="image"
        title="Docker image"
        errors={errors}
        hint="Empty: the command runs without a container"
      >
        {input('image', { placeholder: 'redis:7' })}
      </Field>
      <Field name="cmd" title="Command" errors={errors} hint="Run by a shell. Empty: what the image says">
        {input('cmd', { class: 'mono' })}
      </Field>
      <div class="numbers">
        {numberInput('instances', 'Instances', '1')}
        {numberInput('cpus', 'CPUs', 'any')}
        {numberInput('mem', 'Memory, MiB', 'any')}
        {numberInput('disk', 'Disk, MiB', 'any')}
      </div>
      <Field
        name="ports"
        title="Ports of the container"
        errors={errors}
        hint="For example: 80, 53/udp. The host ports are chosen for each task"
      >
        {input('ports')}
      </Field>
      <div class="numbers">
        <Field name="check" title="Health check" errors={errors}>
          <select
            id="field-check"
            value={values.check}
            onChange={({ currentTarget }) => onChange({ check: currentTarget.value as Check })}
          >
            {CHECKS.map((one) => (
              <option key={one} value={one}>
                {one === 'COMMAND' ? 'Command' : one}
              </option>
            ))}
            {values.check === 'other' && <option value="other">see the JSON</option>}
          </select>
        </Field>
        {(values.check === 'HTTP' || values.check === 'COMMAND') && (
          <Field
            name="checkTarget"
            title={values.check === 'HTTP' ? 'Path' : 'Command of the check'}
            errors={errors}
          >
            {input('checkTarget', { placeholder: values.check === 'HTTP' ? '/' : 'redis-cli ping' })}
          </Field>
        )}
      </div>
      <Field name="env" title="Environment" errors={errors} hint="NAME=value, one in each line">
        <Lines name="env" value={values.env} onChange={(env) => onChange({ env })} />
      </Field>
      <Field name="labels" title="Labels" errors={errors} hint="name=value, one in each line">
        <Lines name="labels" value={values.labels} onChange={(labels) => onChange({ labels })} />
      </Field>
    </div>
  );
}

function Field({
  name,
  title,
  hint,
  errors,
  children,
}: {
  name: keyof FormValues;
  title: string;
  hint?: string;
  errors: FormErrors;
  children: ComponentChildren;
}) {
  return (
    <div class="field">
      <label for={`field-${name}`}>{title}</label>
      {children}
      {hint !== undefined && <span class="faint hint">{hint}</span>}
      {errors[name] !== undefined && (
        <span class="field-error" id={`error-${name}`}>
          {errors[name]}
        </span>
      )}
    </div>
  );
}

/** While it is edited, it shows what was typed, also a line that is not complete. */
function Lines({ name, value, onChange }: { name: string; value: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState<string>();
  return (
    <textarea
      id={`field-${name}`}
      class="mono"
      rows={Math.min(8, Math.max(2, value.split('\n').length + 1))}
      spellcheck={false}
      value={typed ?? value}
      onInput={({ currentTarget }) => {
        setTyped(currentTarget.value);
        onChange(currentTarget.value);
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}
