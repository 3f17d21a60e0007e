/** Looks for faults of the network between the hosts. */

import { type Finding, finding, type Patient } from './finding.ts';
import { dialsOf } from './request.ts';

/** Hosts to which only short packets get through, though connections can be made. */
export function largePackets({ cluster, facts, host, seen }: Patient): Finding[] {
  const lossy = dialsOf(cluster, host, facts).filter(({ address, port }) =>
    seen.dials.some((made) => made.losesLarge && made.address === address && made.port === port),
  );
  return [...Map.groupBy(lossy, (dial) => dial.host)].map(([other, dials]) => {
    const address = dials[0]?.address ?? '';
    return finding(
      host.name,
      'path-mtu',
      `large packets from it to ${other} (${address}) are lost: servers there answer short requests, but no long ones`,
      `Find the largest packet that arrives, on ${host.name}: tracepath -n ${address}  Then let ICMP "fragmentation needed" pass the firewalls, or set that MTU on both hosts: ip link set DEVICE mtu BYTES`,
      {
        evidence: dials.map(({ port }) => `${address}:${port}: answers 60 bytes, but not 10000`),
      },
    );
  });
}
