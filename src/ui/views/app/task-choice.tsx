import { taskLabel } from '../../../apps/log-lines.ts';
import { navigate } from '../../router.ts';
import { plain } from '../../state/plain.ts';

interface TaskChoiceProps {
  readonly app: string;
  /** The tab that shows the chosen task. */
  readonly tab: 'logs' | 'terminal';
  readonly tasks: readonly string[];
  readonly chosen: string | undefined;
  readonly failed?: string | undefined;
}

/** Chooses the task whose output or terminal a tab shows. */
export function TaskChoice({ app, tab, tasks, chosen, failed }: TaskChoiceProps) {
  return (
    <label>
      Task
      <select
        value={chosen}
        onChange={({ currentTarget }) => navigate({ view: 'app', id: app, tab, task: currentTarget.value })}
      >
        {tasks.map((id) => (
          <option key={id} value={id}>
            {plain(taskLabel(id))}
            {id === failed ? ' (failed)' : ''}
          </option>
        ))}
      </select>
    </label>
  );
}
