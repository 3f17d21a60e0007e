/** Looks for certificates that expire, or that others refuse. */

import { day } from '../../cluster/certificates.ts';
import { count } from '../../text/count.ts';
import { addressOf } from '../topology.ts';
import { LB_SERVICE } from '../wanted/lb.ts';
import { SCHEDULER_SERVICE } from '../wanted/scheduler.ts';
import { TLS_CA, TLS_DIRECTORY } from '../wanted/tls.ts';
import type { CertificateFile } from './examination.ts';
import { type Finding, finding, type Patient } from './finding.ts';

const RENEW = 'Renew it: mesosup install';
const DAY_MS = 86_400_000;
/** An authority that renews by itself does so 30 days before the end. */
const SOON_DAYS = 21;

/** Reports each file once, by its certificate that expires first. */
export function certificates({ cluster, host, facts, own, seen }: Patient): Finding[] {
  const { ssl_cert_file: schedulers, ssl_ca_file: authorities } = cluster.schedulerFlags;
  return (seen.certificates ?? []).flatMap((file) => {
    const isScheduler = file.path === schedulers || file.path === authorities;
    const refused = refusal(host.name, file, addressOf(cluster, host, facts), own.clock.now);
    return refused ? [refused] : checkFile(host.name, file, isScheduler, own.clock.now);
  });
}

/** Returns why others refuse a certificate of the cluster's services though it has not expired. @param address of the host */
function refusal(
  host: string,
  { path, certificates: [first] }: CertificateFile,
  address: string | undefined,
  now: number,
): Finding | undefined {
  if (first?.isTrusted === undefined) return undefined;
  const { subject, issuer, names, begins, expires, isTrusted } = first;
  const its = `the certificate of ${subject} in ${path}`;
  const evidence = [
    `${subject}: issued by ${issuer}, for ${names.join(', ') || 'no host'}, valid from ${new Date(begins).toISOString()} until ${new Date(expires).toISOString()}`,
  ];
  const found = (message: string, remedy: string, fixable: boolean) =>
    finding(host, 'certificate', message, remedy, { evidence, fixable });
  if (begins > now)
    return found(
      `${its} is valid only from ${day(begins)}, and the host's clock says ${day(now)}: it refuses the certificates of others, too`,
      'Compare the clocks of the hosts: mesosup node exec -- timedatectl',
      false,
    );
  if (!isTrusted)
    return found(
      `${its}, issued by ${issuer}, is not of an authority in ${TLS_CA}: others refuse the connection`,
      RENEW,
      true,
    );
  if (path === TLS_CA || address === undefined || names.includes(address)) return undefined;
  return found(
    `${its} is for ${names.join(', ')}, and not for ${address}: others refuse the connection`,
    RENEW,
    true,
  );
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
      : RENEW
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
  const date = day(first.expires);
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
