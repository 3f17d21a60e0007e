/** Looks for certificates of the scheduler and the load balancer that expire. */

import { count } from '../../text/count.ts';
import { LB_SERVICE } from '../wanted/lb.ts';
import { SCHEDULER_SERVICE } from '../wanted/scheduler.ts';
import { TLS_CA, TLS_DIRECTORY } from '../wanted/tls.ts';
import type { CertificateFile } from './examination.ts';
import { type Finding, finding, type Patient } from './finding.ts';

const DAY_MS = 86_400_000;
/** An authority that renews by itself does so 30 days before the end. */
const SOON_DAYS = 21;

/** Reports each file once, by its certificate that expires first. */
export function certificates({ cluster, host, own, seen }: Patient): Finding[] {
  const { ssl_cert_file: schedulers, ssl_ca_file: authorities } = cluster.schedulerFlags;
  return (seen.certificates ?? []).flatMap((file) => {
    const isScheduler = file.path === schedulers || file.path === authorities;
    return checkFile(host.name, file, isScheduler, own.clock.now);
  });
}

function checkFile(
  host: string,
  { path, certificates: all }: CertificateFile,
  isScheduler: boolean,
  now: number,
): Finding[] {
  // The load balancer reads its files again when they change.
  const service = isScheduler ? SCHEDULER_SERVICE : LB_SERVICE;
  const isOwn = path.startsWith(`${TLS_DIRECTORY}/`);
  const remedy = isOwn
    ? path === TLS_CA
      ? 'Replace the authority: mesosup certs rotate-ca'
      : 'Renew it: mesosup install'
    : isScheduler
      ? `Put the renewed certificate there, then run: mesosup node exec --host ${host} -- systemctl restart ${service}`
      : `Put the renewed certificate there, and see that it is used: mesosup lb check`;
  const first = all.toSorted((a, b) => a.expires - b.expires)[0];
  if (first === undefined) {
    const message = `${path} has no certificate that can be read`;
    return [finding(host, 'certificate', message, `Look at it: openssl x509 -noout -text -in ${path}`)];
  }
  const days = Math.floor((first.expires - now) / DAY_MS);
  if (days >= SOON_DAYS) return [];
  const date = new Date(first.expires).toISOString().slice(0, 10);
  const evidence = all.map(
    ({ subject, expires }) => `${subject}: valid until ${new Date(expires).toISOString()}`,
  );
  return [
    finding(
      host,
      'certificate',
      days < 0
        ? `the certificate of ${first.subject} in ${path} expired on ${date}: clients refuse the connection`
        : `the certificate of ${first.subject} in ${path} expires on ${date}, in ${count(days, 'day')}`,
      remedy,
      { severity: days < 0 ? 'error' : 'warning', evidence },
    ),
  ];
}
