import { type Difference, differenceText } from '../../apps/difference.ts';
import { plain } from '../state/plain.ts';

export function Differences({ of }: { readonly of: readonly Difference[] }) {
  return (
    <ul class="plain-list mono">
      {of.map((one) => (
        <li key={one.field} class={kindOf(one)}>
          {plain(differenceText(one))}
        </li>
      ))}
    </ul>
  );
}

function kindOf({ before, after }: { readonly before?: unknown; readonly after?: unknown }): string {
  return before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
}
