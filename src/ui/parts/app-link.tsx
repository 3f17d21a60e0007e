import { plain } from '../state/plain.ts';
import { pathOf } from '../state/route.ts';

export function AppLink({ id, row = false }: { id: string; row?: boolean }) {
  return (
    <a href={pathOf({ view: 'app', id, tab: 'instances' })} {...(row && { 'data-row': true })}>
      {plain(id)}
    </a>
  );
}
