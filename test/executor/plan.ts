import type { ContainerPlan } from '../../src/executor/domain/task-plan.ts';

/** A container without options, ports and resources. */
export const PLAN: ContainerPlan = {
  image: 'x',
  args: [],
  env: {},
  options: [],
  hostPorts: [],
  cpus: 0,
  memoryBytes: undefined,
  gpus: 0,
  diskMiB: 0,
  labels: [],
  single: false,
};
