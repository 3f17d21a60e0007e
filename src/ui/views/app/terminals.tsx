import { useEffect, useRef, useState } from 'preact/hooks';
import { errorText } from '../../live/api.ts';
import { isOperator } from '../../store.ts';
import { type FullApp, startedTasks } from './full-app.ts';
import { TaskChoice } from './task-choice.tsx';

/** Commands in the container of a running task. */
export function Terminals({ app, task }: { app: FullApp; task: string | undefined }) {
  const [shell, setShell] = useState('/bin/sh');
  const [opened, setOpened] = useState<{
    readonly task: string;
    readonly shell: string;
    readonly number: number;
  }>();
  const running = startedTasks(app).filter(({ state }) => state === 'TASK_RUNNING');
  const chosen = running.find(({ id }) => id === task)?.id ?? running[0]?.id;
  if (!isOperator.value) return <div class="panel empty">Commands in containers need the role operator.</div>;
  if (chosen === undefined && !opened) return <div class="panel empty">No task of the app is running.</div>;
  return (
    <div class="stack log-view">
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen !== undefined) setOpened({ task: chosen, shell, number: (opened?.number ?? 0) + 1 });
        }}
      >
        <TaskChoice app={app.id} tab="terminal" tasks={running.map(({ id }) => id)} chosen={chosen} />
        <label>
          Command
          <input
            class="mono"
            value={shell}
            required
            onInput={({ currentTarget }) => setShell(currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          {opened ? 'Open a new terminal' : 'Open a terminal'}
        </button>
      </form>
      {opened && <Terminal key={opened.number} task={opened.task} shell={opened.shell} />}
    </div>
  );
}

function Terminal({ task, shell }: { task: string; shell: string }) {
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState('Loading …');
  useEffect(() => {
    let close = () => {};
    let isOver = false;
    const begin = async () => {
      try {
        const { openTerminal } = await import('../../terminal/terminal.ts');
        if (isOver || !place.current) return;
        close = openTerminal(place.current, { task, argv: shell.trim().split(/\s+/), onState: setState });
      } catch (error) {
        setState(errorText(error));
      }
    };
    void begin();
    return () => {
      isOver = true;
      close();
    };
  }, [task, shell]);
  return (
    <>
      <div class="terminal-place" ref={place} />
      <p class="faint" role="status">
        {state} <span>Ctrl+Shift+Esc leaves the terminal by keyboard.</span>
      </p>
    </>
  );
}
