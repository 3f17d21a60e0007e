import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Stream, taskLabel } from '../../../apps/log-lines.ts';
import { errorText } from '../../live/api.ts';
import { followLog } from '../../live/follow-log.ts';
import { findLines, type ShownLine, splitAt, withLines } from '../../state/log.ts';
import { plain, plainLine } from '../../state/plain.ts';
import { type FullApp, startedTasks } from './full-app.ts';
import { TaskChoice } from './task-choice.tsx';

const TAIL = 1000;
/** More lines would slow down the page; a search finds the others. */
const MAX_DRAWN = 1000;
const NEAR_END = 40;

/** The output of a task, as it is written. */
export function Logs({ app, task }: { app: FullApp; task: string | undefined }) {
  const tasks = startedTasks(app);
  const last = app.lastTaskFailure?.taskId;
  const chosen = task ?? tasks[0]?.id ?? last;
  const ids = [
    ...new Set([
      ...tasks.map(({ id }) => id),
      ...(last === undefined ? [] : [last]),
      ...(chosen === undefined ? [] : [chosen]),
    ]),
  ];
  if (chosen === undefined)
    return <div class="panel empty">No task of the app has started, so there is no output.</div>;
  return (
    <LogView
      key={chosen}
      task={chosen}
      choice={<TaskChoice app={app.id} tab="logs" tasks={ids} chosen={chosen} failed={last} />}
    />
  );
}

function LogView({ task, choice }: { task: string; choice: preact.ComponentChildren }) {
  const [stream, setStream] = useState<Stream | 'both'>('both');
  const [lines, setLines] = useState<readonly ShownLine[]>([]);
  const [pausedAt, setPausedAt] = useState<readonly ShownLine[]>();
  const [search, setSearch] = useState('');
  const [wraps, setWraps] = useState(true);
  const [notes, setNotes] = useState<readonly string[]>([]);
  useEffect(() => {
    const end = new AbortController();
    setLines([]);
    setNotes([]);
    const note = (text: string) => setNotes((all) => [...all, text].slice(-3));
    followLog(task, {
      stream,
      tail: TAIL,
      signal: end.signal,
      onLines: (added) => setLines((before) => withLines(before, added)),
      onNote: note,
    }).catch((error: unknown) => !end.signal.aborted && note(errorText(error)));
    return () => end.abort();
  }, [task, stream]);
  const found = findLines(pausedAt ?? lines, search);
  const newer = pausedAt ? (lines.at(-1)?.number ?? 0) - (pausedAt.at(-1)?.number ?? 0) : 0;
  const download = `/v2/tasks/${encodeURIComponent(task)}/log${stream === 'both' ? '' : `?stream=${stream}`}`;
  return (
    <div class="stack log-view">
      <div class="filters">
        {choice}
        <label>
          Output
          <select
            value={stream}
            onChange={({ currentTarget }) => setStream(currentTarget.value as Stream | 'both')}
          >
            <option value="both">both</option>
            <option value="stdout">standard output</option>
            <option value="stderr">standard error</option>
          </select>
        </label>
        <label>
          Search
          <input
            type="search"
            data-search
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        </label>
        <button
          type="button"
          aria-pressed={pausedAt !== undefined}
          onClick={() => setPausedAt(pausedAt ? undefined : lines)}
        >
          {pausedAt ? `Continue (${newer} new)` : 'Pause'}
        </button>
        <label class="check">
          <input
            type="checkbox"
            checked={wraps}
            onChange={({ currentTarget }) => setWraps(currentTarget.checked)}
          />
          Wrap lines
        </label>
        <a class="button" href={download} download={`${taskLabel(task)}.log`}>
          Download
        </a>
      </div>
      <Lines lines={found} search={search} wraps={wraps} isPaused={pausedAt !== undefined} />
      {notes.map((one) => (
        <p key={one} class="faint" role="status">
          {plain(one)}
        </p>
      ))}
    </div>
  );
}

function Lines({
  lines,
  search,
  wraps,
  isPaused,
}: {
  lines: readonly ShownLine[];
  search: string;
  wraps: boolean;
  isPaused: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const lastNumber = lines.at(-1)?.number;
  useLayoutEffect(() => {
    const element = box.current;
    if (element && follows.current && !isPaused) element.scrollTop = element.scrollHeight;
  }, [lastNumber, search, wraps, isPaused]);
  const drawn = lines.slice(-MAX_DRAWN);
  return (
    <div
      class={`log ${wraps ? 'log-wrap' : ''}`}
      role="log"
      aria-label="Output"
      aria-live="off"
      ref={box}
      // A scrolled area must be reachable by keyboard.
      // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        follows.current = scrollTop + clientHeight > scrollHeight - NEAR_END;
      }}
    >
      {lines.length > drawn.length && (
        <div class="faint">{lines.length - drawn.length} earlier lines: search, or download the log.</div>
      )}
      {drawn.length === 0 && (
        <div class="faint">{search === '' ? 'No output yet.' : 'No line contains that.'}</div>
      )}
      {drawn.map((line) => (
        <Line key={line.number} line={line} search={search} />
      ))}
    </div>
  );
}

function Line({ line: { stream, text }, search }: { line: ShownLine; search: string }) {
  return (
    <div class={`log-line log-${stream}`}>
      {stream === 'stderr' && <span class="hidden">standard error: </span>}
      {splitAt(plainLine(text), search).map(({ text: part, isFound }, i) =>
        isFound ? <mark key={i}>{part}</mark> : part,
      )}
    </div>
  );
}
