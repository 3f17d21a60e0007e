/**
 * Describes a task for Mesos' own containerizers. The messages are those of Marathon 1.11 (TaskBuilder,
 * ContainerSerializer), so that a cluster that ran Marathon's tasks runs ours.
 */

import type { CommandInfo, ContainerInfo, NetworkInfo, PortMapping, Volume } from '../../../mesos/types.ts';
import { type App, hasOwnNetwork, imageOf, portsOf } from '../../domain/app.ts';
import { isPersistent } from '../../domain/residency.ts';
import type { Settings } from '../../domain/settings.ts';
import type { Task } from '../../domain/task.ts';

/** @param containerizer the containerizer of the agent */
export function containerInfo(
  app: App,
  containerizer: NonNullable<App['containerizer']>,
  task: Task,
  { mesosBridgeName }: Settings,
): ContainerInfo {
  const { forcePullImage = false, privileged = false, parameters = [] } = app.container?.docker ?? {};
  const image = imageOf(app);
  const volumes = (app.container?.volumes ?? []).filter((one) => !isPersistent(one)).map(volumeOf);
  const mounted = volumes.length > 0 && { volumes };
  if (containerizer === 'mesos') {
    const networks = networksOf(app, task, mesosBridgeName);
    return {
      type: 'MESOS',
      ...mounted,
      ...(networks.length > 0 && { network_infos: networks }),
      mesos:
        image === undefined
          ? {}
          : { image: { type: 'DOCKER', docker: { name: image }, cached: !forcePullImage } },
    };
  }
  const mappings = mappingsOf(app, task);
  const user = app.networks.find(({ mode }) => mode === 'container');
  return {
    type: 'DOCKER',
    ...mounted,
    ...(user?.name !== undefined && { network_infos: [{ name: user.name }] }),
    docker: {
      image: image ?? '',
      network: user ? 'USER' : hasOwnNetwork(app) ? 'BRIDGE' : 'HOST',
      ...(mappings.length > 0 && { port_mappings: mappings }),
      privileged,
      // The label leads from a container to its task.
      parameters: [...parameters, { key: 'label', value: `MESOS_TASK_ID=${task.id}` }],
      force_pull_image: forcePullImage,
    },
  };
}

/**
 * `cmd` runs in a shell, `args` are passed to the image's entry point. Without an image, `args` begin with the program.
 * @returns the part of the command that depends on these fields
 */
export function commandOf(app: App): Pick<CommandInfo, 'value' | 'shell' | 'arguments'> {
  const { cmd, args } = app;
  if (cmd !== undefined && cmd.trim() !== '') return { value: cmd, shell: true };
  const [program] = args ?? [];
  const value = program !== undefined && imageOf(app) === undefined && { value: program };
  return { ...value, shell: false, ...(args && args.length > 0 && { arguments: [...args] }) };
}

type AppVolume = NonNullable<App['container']>['volumes'][number];

function volumeOf({ containerPath, hostPath, mode }: AppVolume): Volume {
  return { mode, container_path: containerPath, ...(hostPath !== undefined && { host_path: hostPath }) };
}

function mappingsOf(app: App, { ports }: Task): PortMapping[] {
  if (!hasOwnNetwork(app)) return [];
  return portsOf(app).flatMap(({ containerPort, protocol }, i) => {
    const host = ports[i] ?? 0;
    const mapping = { host_port: host, container_port: containerPort || host };
    return protocol.split(',').map((one) => ({ ...mapping, protocol: one }));
  });
}

/** The Mesos containerizer joins networks of CNI, and assigns one address in each. */
function networksOf(app: App, task: Task, bridge: string): NetworkInfo[] {
  const mappings = mappingsOf(app, task);
  return app.networks
    .filter(({ mode }) => mode !== 'host')
    .map(({ mode, name }) => ({
      ip_addresses: [{}],
      name: mode === 'container/bridge' ? bridge : (name ?? ''),
      ...(mappings.length > 0 && { port_mappings: mappings }),
    }));
}
