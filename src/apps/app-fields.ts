/** The fields of apps that lists of apps show, in a terminal and on the web page; only these are requested. */
export const APP_FIELDS: readonly string[] = [
  ...[
    'id',
    'instances',
    'cpus',
    'mem',
    'cmd',
    'args',
    'container',
    'healthChecks',
    'mode',
    'version',
    'labels',
  ],
  ...['tasksRunning', 'tasksStaged', 'tasksHealthy', 'tasksUnhealthy', 'deployments'],
];
