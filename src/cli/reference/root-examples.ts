/** The examples of `mesosup --help`. */
export const ROOT_EXAMPLES = [
  { command: 'mesosup demo', summary: 'Run two Redis containers on a cluster on this machine, until Ctrl-C' },
  {
    command: 'mesosup install --hosts h1,h2,h3 --start',
    summary: 'Install and start a cluster on three hosts, by SSH',
  },
  {
    command: 'mesosup install --local --start',
    summary: 'Install and start a cluster on this machine alone',
  },
  {
    command: 'mesosup app run johncosta/redis --port 6379 --instances 2',
    summary: 'Run an image on the cluster, and wait until it runs',
  },
  { command: 'mesosup status', summary: "Show the cluster's health" },
] as const;
