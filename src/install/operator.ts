/** The credentials of people and mesosup for masters, agents and the scheduler's API. */

import { usedCredential } from '../cluster/rotation.ts';
import type { Secrets } from '../cluster/secrets.ts';

/** The first principal of people and mesosup at masters and agents. */
export const OPERATOR = 'operator';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What the credentials of `operator` are made of. */
export type OperatorSecret = Pick<Secrets, 'operator' | 'rotated'>;

/** Credentials of people and mesosup for masters and agents. */
export function operator(secrets: OperatorSecret): Credentials;
export function operator(secrets: OperatorSecret | undefined): Credentials | undefined;
export function operator(secrets: OperatorSecret | undefined): Credentials | undefined {
  return (
    secrets && {
      user: usedCredential(OPERATOR, 'operator', secrets).principal,
      password: secrets.operator,
    }
  );
}

/** Credentials of people and mesosup for the scheduler's API. */
export function apiUser(secrets: Pick<Secrets, 'api'>): Credentials;
export function apiUser(secrets: Pick<Secrets, 'api'> | undefined): Credentials | undefined;
export function apiUser(secrets: Pick<Secrets, 'api'> | undefined): Credentials | undefined {
  return secrets && { user: 'mesosup', password: secrets.api };
}
