/** The first commands of most people; `mesosup --help` shows them. */
export const ROOT_EXAMPLES = [
  { command: 'mesosup demo', does: 'Two Redis containers on a cluster of this machine, until Ctrl-C' },
  { command: 'mesosup install --hosts h1,h2,h3 --start', does: 'A cluster on three hosts, by SSH' },
  { command: 'mesosup install --local --start', does: 'A cluster of this machine alone' },
  { command: 'mesosup status', does: 'How it is' },
] as const;
