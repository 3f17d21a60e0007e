/** Addresses of the page's views. Each view has an address of its own, so links, reload and the back button work. */

/** Where the scheduler serves the page. */
export const BASE = '/ui/';

export const APP_TABS = ['instances', 'config', 'versions', 'why', 'logs', 'terminal'] as const;
export type AppTab = (typeof APP_TABS)[number];

export type Route =
  | { readonly view: 'apps' }
  | { readonly view: 'app'; readonly id: string; readonly tab: AppTab; readonly task?: string }
  /** `from`: the app whose definition is the start of a new one. */
  | { readonly view: 'create'; readonly group?: string; readonly from?: string }
  | { readonly view: 'edit'; readonly id: string }
  | { readonly view: 'agent' | 'deployment'; readonly id: string }
  | { readonly view: 'deployments' | 'queue' | 'agents' | 'events' | 'scheduler' }
  | { readonly view: 'nothing'; readonly path: string };

/** Reads the path and query of an address. */
export function routeOf(path: string, query: URLSearchParams): Route {
  const rest = path.startsWith(BASE) ? path.slice(BASE.length) : '';
  const [view = '', ...segments] = rest.split('/').filter((one) => one !== '');
  const id = `/${segments.map(decoded).join('/')}`;
  switch (view) {
    case '':
    case 'apps':
      return { view: 'apps' };
    case 'app': {
      const tab = APP_TABS.find((one) => one === query.get('tab')) ?? 'instances';
      const task = query.get('task');
      return { view: 'app', id, tab, ...(task !== null && { task }) };
    }
    case 'create': {
      const [group, from] = [query.get('group'), query.get('from')];
      return { view: 'create', ...(group !== null && { group }), ...(from !== null && { from }) };
    }
    case 'edit':
      return { view: 'edit', id };
    case 'agent':
    case 'deployment':
      return { view, id: id.slice(1) };
    case 'deployments':
    case 'queue':
    case 'agents':
    case 'events':
    case 'scheduler':
      return { view };
    default:
      return { view: 'nothing', path };
  }
}

/** The address of a view, with its query. */
export function pathOf(route: Route): string {
  switch (route.view) {
    case 'apps':
      return BASE;
    case 'app': {
      const { id, tab, task } = route;
      return `${BASE}app${encoded(id)}${queryOf({ tab: tab === 'instances' ? undefined : tab, task })}`;
    }
    case 'create':
      return `${BASE}create${queryOf({ group: route.group, from: route.from })}`;
    case 'edit':
      return `${BASE}edit${encoded(route.id)}`;
    case 'agent':
    case 'deployment':
      return `${BASE}${route.view}/${encodeURIComponent(route.id)}`;
    case 'nothing':
      return route.path;
    default:
      return BASE + route.view;
  }
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? '' : `?${query}`;
}

function encoded(id: string): string {
  return id.split('/').map(encodeURIComponent).join('/');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
