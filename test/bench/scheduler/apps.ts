/** Definitions of apps whose tasks have a health check. @param each instances of each app */
export function checkedApps(count: number, each: number) {
  return Array.from({ length: count }, (_, i) => ({
    id: `/group${i % 10}/app${i}`,
    cmd: 'sleep 600',
    instances: each,
    cpus: 0.1,
    mem: 64,
    portDefinitions: [{ port: 0 }],
    healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' } }],
  }));
}
