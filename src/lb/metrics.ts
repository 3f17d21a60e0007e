/** Metrics of the load balancer itself; haproxy has its own. */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const BUCKETS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30];

export type LbMetrics = ReturnType<typeof createLbMetrics>;

export function createLbMetrics() {
  const registers = [new Registry()] as const;
  const [registry] = registers;
  const common = (name: string, help: string) => ({
    name: `mesosup_lb_${name}`,
    help,
    registers: [...registers],
  });
  return {
    registry,
    applied: new Histogram({
      ...common(
        'event_to_traffic_seconds',
        'Time from an event of the scheduler until haproxy has the change',
      ),
      buckets: BUCKETS,
    }),
    reloads: new Counter(common('reloads_total', 'Starts and reloads of haproxy')),
    runtimeChanges: new Counter(common('runtime_changes_total', 'Changes of servers without a reload')),
    refused: new Counter(common('refused_configurations_total', 'Configurations that haproxy refused')),
    failures: new Counter(common('failures_total', 'Changes that could not be made; they are tried again')),
    up: new Gauge(common('haproxy_up', '1 if haproxy runs')),
    services: new Gauge(common('services', 'Ports of apps that are served')),
    servers: new Gauge(common('servers', 'Places of servers that a task has')),
    dnsAnswers: new Counter({
      ...common('dns_answers_total', 'Answers to DNS queries'),
      labelNames: ['rcode'] as const,
    }),
    dnsDropped: new Counter(common('dns_dropped_total', 'DNS queries dropped because of the rate limit')),
    problems: new Gauge(common('problems', 'What apps ask for and do not get; see the log')),
    answered: new Gauge(
      common('scheduler_last_answer_timestamp_seconds', 'Time of the last answer of a scheduler'),
    ),
  };
}
