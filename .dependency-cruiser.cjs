/** The direction of imports. test/rules/ shows each of these rules failing once. */
const core = [
  '^src/errors/(mesosup-error|failure)\\.ts',
  '^src/(json|release)\\.ts',
  '^src/stored/',
  '^src/scheduler/(domain|decide)(/|\\.ts)',
  '^src/scheduler/flags/(flag-table|unknown-flags)\\.ts',
  '^src/mesos/(types|recordio|resources|offer-constraints)\\.ts',
  '^src/executor/domain/',
  '^src/docker/registry-auth\\.ts',
  '^src/health/(command|health|validation)\\.ts',
  '^src/cluster/(?!edge/)',
  '^src/install/(?!(edge|operations)/)',
  '^src/hosts/(quote|root-environment)\\.ts',
  '^src/cli/reference/',
  '^src/simulator/',
  '^src/text/',
  '^src/zookeeper/(wire/|(address|client|watches)\\.ts)',
].join('|');
const tests = '\\.test\\.ts$';
const areas = [
  'cli',
  'cluster',
  'demo',
  'docker',
  'embedded',
  'errors',
  'executor',
  'health',
  'hosts',
  'install',
  'mesos',
  'proc',
  'scheduler',
  'simulator',
  'stored',
  'text',
  'zookeeper',
];
/** What every area but the errors may import. */
const common = ['errors', 'json.ts', 'release.ts'];
/** Which area may import which, too; an area may always import itself. */
const allowed = {
  cli: [
    'cluster',
    'demo',
    'docker',
    'embedded',
    'executor',
    'hosts',
    'install',
    'mesos',
    'scheduler',
    'simulator',
    'text',
  ],
  cluster: ['hosts', 'stored', 'text', 'scheduler/flags/flag-table.ts', 'scheduler/flags/unknown-flags.ts'],
  demo: ['docker', 'mesos', 'proc', 'text'],
  docker: [],
  embedded: ['health', 'mesos', 'proc', 'zookeeper'],
  errors: [],
  executor: ['docker', 'health', 'mesos', 'proc'],
  health: ['mesos'],
  hosts: [],
  install: ['cluster', 'hosts', 'stored', 'text'],
  mesos: [],
  proc: [],
  scheduler: ['health', 'mesos', 'proc', 'stored', 'text', 'zookeeper', 'executor/task-data.ts'],
  simulator: ['mesos', 'scheduler/domain', 'scheduler/decide'],
  stored: [],
  text: [],
  zookeeper: [],
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-core-has-no-io',
      comment:
        'Planning, matching, codecs and the task life cycle take clock, randomness and data as arguments.',
      severity: 'error',
      from: { path: core, pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-core-imports-only-core',
      severity: 'error',
      from: { path: core, pathNot: tests },
      to: { path: '^src/', pathNot: `${core}|^src/executor/task-data\\.ts` },
    },
    ...areas.map((area) => ({
      name: `${area}-imports-only-its-neighbours`,
      severity: 'error',
      from: { path: `^src/${area}/`, pathNot: tests },
      to: {
        path: '^src/',
        pathNot: `^src/(${[area, ...(area === 'errors' ? [] : common), ...allowed[area]].join('|')})(/|$)`,
      },
    })),
    {
      name: 'oclif-in-the-command-line-only',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/cli/|${tests}` },
      to: { path: '@oclif/' },
    },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: tests },
      to: { path: `^test/|${tests}` },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependencies-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    tsPreCompilationDeps: true,
  },
};
