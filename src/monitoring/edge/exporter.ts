/** Reads Mesos for each scrape of Prometheus; nothing is kept from one scrape to the next. */

import { Counter, Gauge, Registry } from 'prom-client';
import type { ExporterOptions } from '../options.ts';
import { type Component, containerSamples, type Sample, type Samples, snapshotSamples } from '../samples.ts';
import { type MesosConnections, readJson } from './read-mesos.ts';

interface Target {
  readonly component: Component;
  readonly base: string;
  readonly endpoint: string;
  readonly path: string;
  readonly parse: (answer: unknown) => Samples | undefined;
}

export interface Scrape {
  readonly text: string;
  /** By `component endpoint`; empty if the endpoint answered. */
  readonly problems: ReadonlyMap<string, string>;
}

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** @returns a function that reads Mesos; calls at the same time share one reading */
export function createExporter(
  options: ExporterOptions,
  authorization: () => Promise<string | undefined>,
  connections: MesosConnections,
): () => Promise<Scrape> {
  let running: Promise<Scrape> | undefined;
  return () => {
    running ??= scrape(options, authorization, connections).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function scrape(
  options: ExporterOptions,
  authorization: () => Promise<string | undefined>,
  connections: MesosConnections,
): Promise<Scrape> {
  const results = await Promise.all(
    targetsOf(options).map((target) => read(target, options, authorization, connections)),
  );
  const samples = results.flatMap((result) => [
    ...upSamples(result.target, result),
    ...(result.found?.samples ?? []),
  ]);
  samples.push({
    name: 'mesos_exporter_omitted_names',
    type: 'gauge',
    help: 'Frameworks, roles and containers without metrics, because there are more than --most-names',
    labels: {},
    value: results.reduce((sum, { found }) => sum + (found?.omitted ?? 0), 0),
  });
  const problems = results.map(
    ({ target, problem }) => [`${target.component} ${target.endpoint}`, problem] as const,
  );
  return { text: await render(samples), problems: new Map(problems) };
}

function targetsOf({ master, agent, mostNames, timeoutMs }: ExporterOptions): Target[] {
  // Mesos leaves out metrics that are not known within this time, rather than to answer late.
  const endpoint = '/metrics/snapshot';
  const path = `${endpoint}?timeout=${Math.floor(timeoutMs / 2)}ms`;
  const snapshot = (component: Component, base: string): Target => ({
    component,
    base,
    endpoint,
    path,
    parse: (answer) => snapshotSamples(component, answer, mostNames),
  });
  return [
    ...(master === undefined ? [] : [snapshot('master', master)]),
    ...(agent === undefined
      ? []
      : [
          snapshot('agent', agent),
          {
            component: 'agent' as const,
            base: agent,
            endpoint: '/containers',
            path: '/containers',
            parse: (answer: unknown) => containerSamples(answer, mostNames),
          },
        ]),
  ];
}

interface Result {
  readonly target: Target;
  readonly found: Samples | undefined;
  readonly problem: string;
  readonly seconds: number;
}

async function read(
  target: Target,
  { timeoutMs }: ExporterOptions,
  authorization: () => Promise<string | undefined>,
  connections: MesosConnections,
): Promise<Result> {
  const begin = performance.now();
  const seconds = () => (performance.now() - begin) / 1000;
  try {
    const reading = { authorization: await authorization(), timeoutMs, connections };
    const found = target.parse(await readJson(target.base, target.path, reading));
    const problem = found
      ? ''
      : `${target.base}${target.endpoint} does not answer like a Mesos ${target.component}`;
    return { target, found, problem, seconds: seconds() };
  } catch (error) {
    return { target, found: undefined, problem: (error as Error).message, seconds: seconds() };
  }
}

function upSamples({ component, endpoint }: Target, { found, seconds }: Result): Sample[] {
  const labels = { component, endpoint };
  return [
    {
      name: 'mesos_up',
      type: 'gauge',
      help: '1 if the endpoint of the master or agent answered this scrape',
      labels,
      value: found ? 1 : 0,
    },
    {
      name: 'mesos_scrape_duration_seconds',
      type: 'gauge',
      help: 'Time of the request to the master or agent',
      labels,
      value: seconds,
    },
  ];
}

async function render(samples: readonly Sample[]): Promise<string> {
  const registers = [new Registry()] as const;
  const [registry] = registers;
  const metrics = new Map<string, Gauge | Counter>();
  for (const { name, type, help, labels, value } of samples) {
    let metric = metrics.get(name);
    if (!metric) {
      const settings = { name, help, labelNames: Object.keys(labels), registers: [...registers] };
      metric = type === 'gauge' ? new Gauge(settings) : new Counter(settings);
      metrics.set(name, metric);
    }
    // Two names that are equal once they are cut get the later value, since Prometheus refuses duplicates.
    if (metric instanceof Gauge) metric.set(labels, value);
    else {
      metric.remove(labels);
      metric.inc(labels, Math.max(0, value));
    }
  }
  return registry.metrics();
}
