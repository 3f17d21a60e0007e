/** The names of containerizers. Apart from the choice for an app, so that the installer loads no schema of apps. */

/** `executor`: the Docker executor; `docker` and `mesos`: the containerizer of the agent with that name. */
export const CONTAINERIZERS = ['executor', 'docker', 'mesos'] as const;
export type Containerizer = (typeof CONTAINERIZERS)[number];

export function isContainerizer(name: string | undefined): name is Containerizer {
  return CONTAINERIZERS.some((one) => one === name);
}
