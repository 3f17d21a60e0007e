/** The table of a cluster's certificates, without their keys. */

import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import { DAY_MS, day, type KeptCertificates, type TlsService } from './certificates.ts';
import type { RotationPhase, TlsState } from './secrets.ts';

export interface CertificateRow {
  readonly service: TlsService | 'authority';
  /** Empty for an authority. */
  readonly host: string;
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly until: string;
  /** Days until then, rounded down; negative afterwards. */
  readonly days: number;
  /** Number of the authority that signed it; of an authority its own. */
  readonly authority: number;
}

export interface CertificateList {
  readonly cluster: string;
  readonly state: TlsState;
  /** While the authority is replaced. */
  readonly phase?: RotationPhase;
  /** Certificates of the authorities, in PEM. */
  readonly trusted: string;
  readonly certificates: readonly CertificateRow[];
}

/** @param now milliseconds since 1970 */
export function certificateRows({ authorities, leaves }: KeptCertificates, now: number): CertificateRow[] {
  const ends = (until: number) => ({
    until: new Date(until).toISOString(),
    days: Math.floor((until - now) / DAY_MS),
  });
  return [
    ...authorities.map(({ generation, until }) => ({
      service: 'authority' as const,
      host: '',
      names: [],
      ...ends(until),
      authority: generation,
    })),
    ...leaves.map(({ service, host, names, until, authority }) => ({
      service,
      host,
      names,
      ...ends(until),
      authority,
    })),
  ];
}

const COLUMNS: readonly Column<CertificateRow>[] = [
  { title: 'SERVICE', cell: ({ service }) => service },
  { title: 'HOST', cell: ({ host }) => host },
  { title: 'NAMES', cell: ({ names }) => names.join(', '), shrinkTo: 16, drop: 1 },
  { title: 'UNTIL', cell: ({ until }) => day(Date.parse(until)) },
  { title: 'DAYS', cell: ({ days }) => String(days), right: true },
  { title: 'CA', cell: ({ authority }) => String(authority), right: true },
];

export function certificateTable(rows: readonly CertificateRow[], options: TableOptions): string {
  return renderTable(COLUMNS, rows, options);
}
