import { useEffect, useRef } from 'preact/hooks';
import { navigate, route } from '../router.ts';
import { isOperator, ofSession } from '../store.ts';

const isOpen = ofSession(false);

const GO = { a: 'apps', d: 'deployments', q: 'queue', g: 'agents', e: 'events', s: 'scheduler' } as const;
const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'Search in this view'],
  ['?', 'Show these keys'],
  ['c', 'Create an app'],
  ['↑ ↓ or k j', 'Previous or next row of a list'],
  ['Enter', 'Open the row'],
  ['← →', 'Close or open a group; previous or next tab'],
  ['Space', 'Select the row'],
  ['g a, g d, g q', 'Go to apps, deployments, queue'],
  ['g g, g e, g s', 'Go to agents, events, scheduler'],
  ['Esc', 'Leave a field or a dialog'],
];
const SEQUENCE_MS = 1500;
let goUntil = 0;

/** Listens to the keys that work in every view. */
export function listenToKeys(): void {
  document.addEventListener('keydown', (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || !(target instanceof Element) || event.defaultPrevented) return;
    if (target.closest('dialog, .terminal-place')) return;
    if (target.closest('input, textarea, select')) {
      if (key === 'Escape' && target instanceof HTMLElement) target.blur();
      return;
    }
    if (handle(key, target)) event.preventDefault();
  });
}

function handle(key: string, target: Element): boolean {
  const goes = Date.now() < goUntil;
  goUntil = 0;
  if (goes && key in GO) {
    navigate({ view: GO[key as keyof typeof GO] });
    return true;
  }
  switch (key) {
    case '/': {
      const field = document.querySelector<HTMLInputElement>('[data-search]');
      field?.focus();
      field?.select();
      return field !== null;
    }
    case '?':
      isOpen.value = true;
      return true;
    case 'c':
      if (isOperator.peek() && route.peek().view !== 'create') navigate({ view: 'create' });
      return isOperator.peek();
    case 'g':
      goUntil = Date.now() + SEQUENCE_MS;
      return true;
    case 'j':
    case 'ArrowDown':
      return moveRow(target, 1);
    case 'k':
    case 'ArrowUp':
      return moveRow(target, -1);
    default:
      return false;
  }
}

/** Moves the focus between the elements with `data-row`. */
function moveRow(target: Element, by: number): boolean {
  const all = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const row = target.closest('[role=row], tr')?.querySelector<HTMLElement>('[data-row]');
  const at = row ? all.indexOf(row) + by : by > 0 ? 0 : all.length - 1;
  const next = all[at];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

export function KeyList() {
  return isOpen.value ? <OpenKeyList /> : null;
}

function OpenKeyList() {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  const close = () => {
    box.current?.close();
    isOpen.value = false;
  };
  return (
    <dialog ref={box} aria-labelledby="keys" onCancel={close} onClose={close}>
      <h2 id="keys">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <div class="buttons">
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </dialog>
  );
}
