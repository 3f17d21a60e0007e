import { route } from '../router.ts';
import { BASE } from '../state/route.ts';
import { AgentView } from './agent.tsx';
import { Agents } from './agents.tsx';
import { App } from './app/app.tsx';
import { Apps } from './apps.tsx';
import { Deployments, DeploymentView } from './deployments.tsx';
import { Create, Edit } from './edit/pages.tsx';
import { Events } from './events.tsx';
import { Queue } from './queue.tsx';
import { Scheduler } from './scheduler.tsx';

/** The view of the address. */
export function View() {
  const one = route.value;
  switch (one.view) {
    case 'apps':
      return <Apps />;
    case 'app':
      return <App key={one.id} id={one.id} tab={one.tab} task={one.task} />;
    case 'create':
      return <Create key={one.from} group={one.group} from={one.from} />;
    case 'edit':
      return <Edit key={one.id} id={one.id} />;
    case 'deployment':
      return <DeploymentView key={one.id} id={one.id} />;
    case 'deployments':
      return <Deployments />;
    case 'queue':
      return <Queue />;
    case 'scheduler':
      return <Scheduler />;
    case 'agent':
      return <AgentView key={one.id} id={one.id} />;
    case 'agents':
      return <Agents />;
    case 'events':
      return <Events />;
    default:
      return (
        <>
          <h1>Nothing here</h1>
          <p>
            The page has no such view. <a href={BASE}>Show all apps</a>.
          </p>
        </>
      );
  }
}
