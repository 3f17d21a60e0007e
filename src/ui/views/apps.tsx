import { computed } from '@preact/signals';
import { navigate, query, setQuery } from '../router.ts';
import { type Filter, HEALTHS, rowsOf, SORTS, type Sort, STATUSES } from '../state/tree.ts';
import { apps, groups, isLoaded, isOperator, loadError, ofSession } from '../store.ts';
import { AppList } from './app-list.tsx';
import { BulkBar } from './bulk.tsx';
import '../style/apps.css';

const filter = computed<Filter>(() => ({
  text: query.value.get('q') ?? '',
  label: query.value.get('label') ?? '',
  status: query.value.get('status') ?? '',
  health: query.value.get('health') ?? '',
}));
const isFiltered = computed(() => Object.values(filter.value).some((one) => one !== ''));
const sort = computed<Sort>(() => SORTS.find((one) => one === query.value.get('sort')) ?? 'name');
/** Groups that the user has closed. */
const closed = ofSession<ReadonlySet<string>>(new Set());
const rows = computed(() =>
  // What is found in closed groups is shown, too.
  rowsOf(apps.value, filter.value, sort.value, isFiltered.value ? new Set() : closed.value, groups.value),
);
const found = computed(() => rows.value.filter(({ kind }) => kind === 'app').length);

function toggleGroup(id: string): void {
  const next = new Set(closed.peek());
  if (!next.delete(id)) next.add(id);
  closed.value = next;
}

/** All apps in the tree of their groups. */
export function Apps() {
  const total = apps.value.size;
  return (
    <>
      <div class="head">
        <h1>
          Apps <span class="faint">{isFiltered.value ? `${found.value} of ${total}` : total}</span>
        </h1>
        {isOperator.value && (
          <button type="button" class="primary" onClick={() => navigate({ view: 'create' })}>
            Create an app
          </button>
        )}
      </div>
      <Filters />
      {loadError.value !== undefined && (
        <p class="problem" role="alert">
          The apps could not be read: {loadError.value}. The page tries again.
        </p>
      )}
      <BulkBar />
      <Content />
    </>
  );
}

function Content() {
  if (!isLoaded.value) return <p class="faint">Loading …</p>;
  if (apps.value.size === 0 && groups.value.length === 0) return <NoApps />;
  if (rows.value.length === 0) {
    return (
      <div class="panel empty">
        <p>No app matches the filter.</p>
        <button type="button" onClick={clearFilter}>
          Show all apps
        </button>
      </div>
    );
  }
  return <AppList rows={rows.value} onToggle={toggleGroup} />;
}

function NoApps() {
  return (
    <div class="panel empty">
      <p>No apps yet.</p>
      <p>
        {isOperator.value
          ? 'An app runs a Docker image or a command on the cluster, as many times as you like.'
          : 'An operator can create them.'}
      </p>
      {isOperator.value && (
        <button type="button" class="primary" onClick={() => navigate({ view: 'create' })}>
          Create an app
        </button>
      )}
    </div>
  );
}

function clearFilter(): void {
  setQuery({ q: undefined, label: undefined, status: undefined, health: undefined });
}

function Filters() {
  const { text, label, status, health } = filter.value;
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Search
        <input
          type="search"
          data-search
          placeholder="Id, image or command"
          value={text}
          onInput={({ currentTarget }) => setQuery({ q: currentTarget.value })}
        />
      </label>
      <label>
        Label
        <input
          class="short"
          placeholder="name or name=value"
          value={label}
          onInput={({ currentTarget }) => setQuery({ label: currentTarget.value })}
        />
      </label>
      <Choice title="Status" name="status" value={status} all="Any" values={STATUSES} />
      <Choice title="Health" name="health" value={health} all="Any" values={HEALTHS} />
      <Choice title="Order" name="sort" value={sort.value} values={SORTS} />
      {isFiltered.value && (
        <button type="button" onClick={clearFilter}>
          Clear
        </button>
      )}
    </form>
  );
}

function Choice({
  title,
  name,
  value,
  all,
  values,
}: {
  title: string;
  name: string;
  value: string;
  all?: string;
  values: readonly string[];
}) {
  return (
    <label>
      {title}
      <select value={value} onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}>
        {all !== undefined && <option value="">{all}</option>}
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}
