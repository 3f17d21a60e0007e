/** Questions before changes. The browser's own dialog keeps the focus inside, and gives it back. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ofSession } from '../store.ts';

interface Question {
  readonly title: string;
  readonly body: ComponentChildren;
  /** The text of the button that confirms. */
  readonly action: string;
  readonly isDangerous: boolean;
  readonly answer: (values: FormData | undefined) => void;
}

const question = ofSession<Question | undefined>(undefined);

/** @returns the values of the body's fields; undefined if the user cancels */
export function ask(one: {
  title: string;
  body: ComponentChildren;
  action: string;
  isDangerous?: boolean;
}): Promise<FormData | undefined> {
  return new Promise((answer) => {
    question.value?.answer(undefined);
    question.value = { isDangerous: false, ...one, answer };
  });
}

export function Questions() {
  const open = question.value;
  return open ? <Dialog key={open.title} question={open} /> : null;
}

function Dialog({ question: { title, body, action, isDangerous, answer } }: { question: Question }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
    // It also ends with the session; then nobody has answered.
    return () => answer(undefined);
  }, []);
  const end = (values: FormData | undefined) => {
    box.current?.close();
    question.value = undefined;
    answer(values);
  };
  return (
    <dialog
      ref={box}
      aria-labelledby="question"
      onCancel={(event) => {
        event.preventDefault();
        end(undefined);
      }}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          end(new FormData(event.currentTarget));
        }}
      >
        <h2 id="question">{title}</h2>
        {body}
        <div class="buttons">
          <button type="button" onClick={() => end(undefined)}>
            Cancel
          </button>
          <button type="submit" class={isDangerous ? 'danger' : 'primary'}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
