import { useComputed } from '@preact/signals';
import { programOf, statusOf } from '../../apps/app-rows.ts';
import { amount } from '../../apps/units.ts';
import { HealthBar } from '../parts/health-bar.tsx';
import { memo } from '../parts/memo.ts';
import { VirtualList } from '../parts/virtual-list.tsx';
import { plain } from '../state/plain.ts';
import { pathOf } from '../state/route.ts';
import { countsOf, type Row } from '../state/tree.ts';
import { isOperator } from '../store.ts';
import { selectApps, selected } from './selection.ts';

const ROW_HEIGHT = 36;

/** The rows of the tree. Only the visible ones are drawn. */
export function AppList({ rows, onToggle }: { rows: readonly Row[]; onToggle: (group: string) => void }) {
  return (
    <VirtualList
      count={rows.length}
      rowHeight={ROW_HEIGHT}
      label="Apps"
      header={<Head />}
      row={(i) => {
        const row = rows[i];
        if (!row) return null;
        return row.kind === 'app' ? (
          <AppRow key={row.id} row={row} index={i} />
        ) : (
          <GroupRow key={`${row.id}/`} row={row} index={i} onToggle={onToggle} />
        );
      }}
    />
  );
}

function Head() {
  return (
    <div class="row row-head app-row" role="row" aria-rowindex={1}>
      <span role="columnheader">
        <span class="hidden">Select</span>
      </span>
      <span role="columnheader">Name</span>
      <span role="columnheader">Status</span>
      <span role="columnheader" class="right">
        Running
      </span>
      <span role="columnheader">Health</span>
      <span role="columnheader" class="right wide">
        CPUs
      </span>
      <span role="columnheader" class="right wide">
        MiB
      </span>
      <span role="columnheader" class="wide">
        Image or command
      </span>
      <span role="columnheader" class="wide">
        Labels
      </span>
    </div>
  );
}

type AppOf = Extract<Row, { kind: 'app' }>;
type GroupOf = Extract<Row, { kind: 'group' }>;

const AppRow = memo(
  ({ row: { id, name, depth, app }, index }: { row: AppOf; index: number }) => {
    const counts = countsOf(app);
    const status = statusOf(app);
    return (
      <div class="row app-row" role="row" aria-rowindex={index + 2}>
        <span role="cell">
          <Select id={id} />
        </span>
        <span role="cell" class={`depth-${Math.min(depth, 8)}`}>
          <a href={pathOf({ view: 'app', id, tab: 'instances' })} data-row data-id={id} title={plain(id)}>
            {plain(name)}
          </a>
        </span>
        <span role="cell">
          <span class={`state state-${status}`}>{status}</span>
        </span>
        <span role="cell" class="right number">
          {app.mode === 'daemon' ? counts.running : `${counts.running}/${counts.instances}`}
        </span>
        <span role="cell">
          <HealthBar counts={counts} />
        </span>
        <span role="cell" class="right wide">
          {amount(app.cpus)}
        </span>
        <span role="cell" class="right wide">
          {amount(app.mem)}
        </span>
        <span role="cell" class="wide mono">
          {plain(programOf(app).slice(0, 200))}
        </span>
        <span role="cell" class="wide">
          {Object.entries(app.labels)
            .slice(0, 3)
            .map(([label, value]) => (
              <span key={label} class="tag">
                {plain(value === '' ? label : `${label}=${value}`).slice(0, 60)}
              </span>
            ))}
        </span>
      </div>
    );
  },
  (a, b) =>
    a.row.app === b.row.app &&
    a.row.name === b.row.name &&
    a.row.depth === b.row.depth &&
    a.index === b.index,
);

function Select({ id }: { id: string }) {
  const isSelected = useComputed(() => selected.value.has(id));
  if (!isOperator.value) return null;
  return (
    <input
      type="checkbox"
      aria-label={`Select ${plain(id)}`}
      checked={isSelected.value}
      onChange={({ currentTarget }) => selectApps([id], currentTarget.checked)}
    />
  );
}

function GroupRow({
  row: { id, name, depth, counts, isOpen },
  index,
  onToggle,
}: {
  row: GroupOf;
  index: number;
  onToggle: (group: string) => void;
}) {
  return (
    <div class="row app-row group-row" role="row" aria-rowindex={index + 2}>
      <span role="cell">
        {isOperator.value && (
          <button
            type="button"
            class="quiet"
            title="Select all apps of the group"
            aria-label={`Select all apps of ${plain(id)}`}
            onClick={() => selectApps([id], true, true)}
          >
            ⊞
          </button>
        )}
      </span>
      <span role="cell" class={`depth-${Math.min(depth, 8)}`}>
        <button
          type="button"
          class="quiet group-name"
          data-row
          aria-expanded={isOpen}
          onClick={() => onToggle(id)}
          onKeyDown={(event) => {
            const wanted = event.key === 'ArrowRight' ? true : event.key === 'ArrowLeft' ? false : isOpen;
            if (wanted === isOpen) return;
            event.preventDefault();
            onToggle(id);
          }}
        >
          <span aria-hidden="true" class="twist">
            {isOpen ? '▾' : '▸'}
          </span>
          {plain(name)}/
        </button>
      </span>
      <span role="cell" class="faint">
        {counts.apps} {counts.apps === 1 ? 'app' : 'apps'}
      </span>
      <span role="cell" class="right number">
        {counts.running}/{counts.instances}
      </span>
      <span role="cell">
        <HealthBar counts={counts} />
      </span>
      <span role="cell" class="wide" />
      <span role="cell" class="wide" />
      <span role="cell" class="wide" />
      <span role="cell" class="wide" />
    </div>
  );
}
