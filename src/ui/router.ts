/** The address of the page: a signal that follows links and the back button. */

import { computed, signal } from '@preact/signals';
import { BASE, pathOf, type Route, routeOf } from './state/route.ts';

const current = signal(new URL(location.href));

export const route = computed(() => routeOf(current.value.pathname, current.value.searchParams));
export const query = computed(() => current.value.searchParams);

/** Shows another view. */
export function navigate(to: Route | string, { replace = false } = {}): void {
  const href = typeof to === 'string' ? to : pathOf(to);
  if (replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  const isOtherView = current.value.pathname !== location.pathname;
  current.value = new URL(location.href);
  if (isOtherView) scrollTo(0, 0);
}

/** Sets values of the query without an entry in the history, as filters do while they are typed. */
export function setQuery(values: Readonly<Record<string, string | undefined>>): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  navigate(url.pathname + url.search, { replace: true });
}

/** Follows links of the page without loading it again. */
export function followLinks(): void {
  addEventListener('popstate', () => {
    current.value = new URL(location.href);
  });
  document.addEventListener('click', (event) => {
    const isPlain =
      event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!isPlain || !link || event.defaultPrevented || link.target !== '' || link.download !== '') return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(BASE)) return;
    event.preventDefault();
    if (url.href !== location.href) navigate(url.pathname + url.search);
  });
}
