import path from 'node:path';
import type { Range } from '../mesos/types.ts';
import { freePort, portBlocks } from './ports.ts';

/** The variable in the environment of each process of a demo that contains the demo's directory, for the clean-up. */
export const MARK = 'MESOSUP_DEMO';

/** One process of the demo. */
export interface Program {
  /** `master`, `scheduler`, `agent1` … */
  name: string;
  /** The arguments of the Node runtime: its own, the bundle, and those of the program. */
  args: string[];
}

/** The plan that is complete before the demo's first process starts; the supervisor follows it. */
export interface DemoPlan {
  /** Value of the label `mesosup.cluster` on the demo's containers. */
  cluster: string;
  /** The demo's own directory: state, logs and sandboxes. */
  dir: string;
  masterUrl: string;
  schedulerUrl: string;
  /** The executor's path in apps. */
  executor: string;
  /** The file with the addresses to which executors connect for exec. */
  schedulersFile: string;
  /** Host name of the agents: the gateway of Docker's bridge, reachable from the host and from containers. */
  hostname: string;
  /** The service port of the app, on loopback; only with the load balancer. */
  servicePort?: number;
  programs: Program[];
}

export interface PlanInput {
  /** The directory of the built programs. */
  lib: string;
  dir: string;
  agents: number;
  executor: string;
  hostname: string;
  usedPorts: ReadonlySet<number>;
  /** The user who runs the demo and its tasks: an agent without root can't start tasks as another user. */
  user: string;
  /** True to run the load balancer. */
  lb: boolean;
  /** The directory of the compiled code; undefined to keep none. */
  compileCache: string | undefined;
}

const LOOPBACK = '127.0.0.1';
/** The service port of the 2013 page. */
const SERVICE_PORT = 10_445;

/** Chooses command lines and ports: 5050, 8080 and 5051 onwards, or the next free ports. */
export function planDemo(input: PlanInput): DemoPlan {
  const { lib, dir, agents, executor, hostname, usedPorts, user, compileCache } = input;
  const used = new Set(usedPorts);
  const take = (preferred: number): number => {
    const port = freePort(preferred, used);
    used.add(port);
    return port;
  };
  const cluster = path.basename(dir);
  const masterPort = take(5050);
  const schedulerPort = take(8080);
  const master = `${LOOPBACK}:${masterPort}`;
  const schedulersFile = path.join(dir, 'schedulers.json');
  const blocks = portBlocks(agents, used);
  const agentPrograms = blocks.map((block, i) => {
    const name = `agent${i + 1}`;
    return {
      name,
      args: agentArgs({
        name,
        lib,
        dir,
        master,
        port: take(5051),
        hostname,
        block,
        variables: {
          [MARK]: dir,
          // Containers are published on the host's bridge address only: a demo opens no port to the network.
          MESOSUP_PUBLISH_ADDRESS: hostname,
          MESOSUP_SCHEDULERS_FILE: schedulersFile,
          ...(compileCache !== undefined && { NODE_COMPILE_CACHE: compileCache }),
        },
      }),
    };
  });
  const schedulerUrl = `http://${LOOPBACK}:${schedulerPort}`;
  const servicePort = input.lb ? take(SERVICE_PORT) : undefined;
  return {
    cluster,
    dir,
    masterUrl: `http://${master}`,
    schedulerUrl,
    executor,
    schedulersFile,
    hostname,
    ...(servicePort !== undefined && { servicePort }),
    programs: [
      // First, since it takes the longest to start.
      {
        name: 'scheduler',
        args: [
          // Without garbage collections, it starts in seven eighths of the time; all other programs wait for it.
          '--min-semi-space-size=16',
          path.join(lib, 'scheduler.js'),
          '--master',
          master,
          '--http_address',
          LOOPBACK,
          '--http_port',
          String(schedulerPort),
          '--hostname',
          LOOPBACK,
          '--cluster',
          cluster,
          '--data_dir',
          path.join(dir, 'scheduler'),
          '--mesos_user',
          user,
          '--docker_executor',
          executor,
        ],
      },
      {
        name: 'master',
        args: [
          path.join(lib, 'master.js'),
          `--ip=${LOOPBACK}`,
          `--port=${masterPort}`,
          `--hostname=${LOOPBACK}`,
          `--cluster=${cluster}`,
          `--work_dir=${path.join(dir, 'master')}`,
          // Without ZooKeeper, agents notice a new master only by missing pings: here within 10 s.
          '--agent_ping_timeout=1secs',
          '--max_agent_ping_timeouts=10',
        ],
      },
      ...agentPrograms,
      ...(input.lb ? [{ name: 'lb', args: lbArgs({ lib, dir, schedulerUrl, blocks, take }) }] : []),
    ],
  };
}

interface LbInput {
  lib: string;
  dir: string;
  schedulerUrl: string;
  blocks: readonly Range[];
  take: (preferred: number) => number;
}

function lbArgs({ lib, dir, schedulerUrl, blocks, take }: LbInput): string[] {
  return [
    path.join(lib, 'lb.js'),
    `--url=${schedulerUrl}`,
    `--address=${LOOPBACK}`,
    `--http-port=${take(8000)}`,
    `--https-port=${take(8443)}`,
    `--stats=${LOOPBACK}:${take(9101)}`,
    `--metrics=${LOOPBACK}:${take(9102)}`,
    `--data-dir=${path.join(dir, 'lb')}`,
    `--reserved-ports=5050-5099,8080-8099,${blocks.map(({ begin, end }) => `${begin}-${end}`).join()}`,
  ];
}

interface AgentInput {
  name: string;
  lib: string;
  dir: string;
  master: string;
  port: number;
  hostname: string;
  block: Range;
  /** The environment of executors. */
  variables: Record<string, string>;
}

function agentArgs({ name, lib, dir, master, port, hostname, block, variables }: AgentInput): string[] {
  return [
    path.join(lib, 'agent.js'),
    `--master=${master}`,
    `--ip=${LOOPBACK}`,
    `--port=${port}`,
    `--hostname=${hostname}`,
    `--work_dir=${path.join(dir, name)}`,
    `--resources=cpus:4;mem:4096;disk:10000;ports:[${block.begin}-${block.end}]`,
    '--executor_reregistration_timeout=10secs',
    '--no-systemd_enable_support',
    `--executor_environment_variables=${JSON.stringify(variables)}`,
  ];
}
