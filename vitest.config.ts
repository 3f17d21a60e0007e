import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['**/*.test.ts', 'src/**/main.ts', 'src/**/*-main.ts'],
      reporter: ['text', 'html'],
      reportOnFailure: true,
      // The pure core; edges are covered by the contract and end-to-end tests, which run in other processes.
      thresholds: {
        'src/{scheduler/domain,scheduler/decide,executor/domain}/**': { branches: 95 },
        'src/mesos/{recordio,resources}.ts': { branches: 95 },
        'src/health/{command,health,validation}.ts': { branches: 95 },
        'src/zookeeper/wire/**': { branches: 95 },
      },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'bin/**/*.test.ts',
            'test/lab/**/*.test.ts',
            'test/rules/**/*.test.ts',
          ],
          setupFiles: ['test/support/properties.ts'],
          // No test changes what others see of a module, and loading all of them anew for each file took as long as the tests.
          isolate: false,
          // More than the cores, as many files wait for timers, processes and answers.
          maxWorkers: 2 * availableParallelism(),
          // Properties take their time on a busy machine.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/contract/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        // With a Docker engine, and without ports and files that another test uses: they may run beside all others.
        test: {
          name: 'engine',
          include: ['test/e2e/engine/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        // On the lab's hosts, which have systemd, ports and an engine of their own.
        test: {
          name: 'hosts',
          include: ['test/e2e/hosts/*.test.ts'],
          // On a slow machine under load, a test of three installs takes many times what it takes on a quiet one.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
