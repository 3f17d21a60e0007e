/** Asks a running Marathon and the Mesos masters. */

import { text } from 'node:stream/consumers';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { isJson, type Json, parseJson } from '../../json.ts';
import { basicAuthorization, type Credential, messageOf, send } from '../../mesos/http.ts';
import { createTransport, type Transport } from '../../tls/connect.ts';
import { type FrameworkFacts, readFramework, whileRecovering } from './framework.ts';
import { type Answers, type Reading, readAnswers, versionKey } from './reading.ts';

/** Marathon or Mesos can't be read, or the takeover is impossible; the message says what to do. */
export class TakeoverError extends MesosupError {
  override name = 'TakeoverError';
}

const WITHIN_MS = 30_000;

/** Requests to a Marathon. They reject with errors for users. */
export interface Marathon {
  readonly url: string;
  /** All that it tells of its state. The groups contain their groups, apps and pods. */
  read(): Promise<Answers>;
  /** @returns the definition of the app with this version; undefined if it is forgotten */
  version(appId: string, version: string): Promise<unknown>;
  /** Asks the leading instance to give up its leadership. */
  abdicate(): Promise<void>;
  /** The instance at this address, `host:port`. */
  at(address: string): Marathon;
}

/**
 * Reads everything that a takeover needs.
 * @throws TakeoverError if it is not Marathon that answers, and the errors of `Marathon`
 */
export async function readMarathonState(marathon: Marathon): Promise<Reading> {
  const reading = readAnswers(await marathon.read());
  if (!('path' in reading)) return { ...reading, earlier: await readEarlier(marathon, reading) };
  throw new TakeoverError(
    `${marathon.url}${reading.path} does not answer like Marathon: ${reading.why}. Check the URL`,
  );
}

/** Reads the definitions of tasks that run with an earlier version of their app. */
async function readEarlier(marathon: Marathon, { tasks, apps }: Reading): Promise<Map<string, Json>> {
  const wanted = new Map(
    tasks.flatMap(({ appId, version }) => {
      const { versionInfo, version: current } = apps.shown.get(appId) ?? {};
      const since = isJson(versionInfo) ? versionInfo.lastConfigChangeAt : current;
      const isOutdated = typeof since === 'string' && Date.parse(version) < Date.parse(since);
      return isOutdated ? [[versionKey(appId, version), { appId, version }] as const] : [];
    }),
  );
  const found = new Map<string, Json>();
  for (const [key, { appId, version }] of wanted) {
    const shown = await marathon.version(appId, version);
    // Marathon forgets old versions. Such a task counts as outdated, without checks.
    if (isJson(shown)) found.set(key, shown);
  }
  return found;
}

export interface Master {
  /** Finds a master, as `host:port`. */
  readonly detect: () => Promise<string>;
  readonly credential?: Credential;
  /** How to connect with TLS. */
  readonly transport?: Transport;
}

/** Returns how to connect to masters with TLS. @param files paths of PEM files, by flag */
export function masterTransport(
  files: Readonly<Partial<Record<'ca-file' | 'cert-file' | 'key-file', string | undefined>>>,
): Transport {
  const { 'ca-file': ca, 'cert-file': cert, 'key-file': key } = files;
  return createTransport({
    mode: 'required',
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  });
}

/** @throws TakeoverError */
export async function readMasterState(
  { detect, credential, transport }: Master,
  frameworkId: string,
): Promise<FrameworkFacts> {
  const address = await detect().catch((error: unknown) => {
    throw new TakeoverError(`no Mesos master was found: ${messageOf(error)}. Set --master`);
  });
  let status: number;
  let body: string;
  try {
    const answer = await send({
      url: new URL(`${transport?.scheme ?? 'http'}://${address}/state`),
      method: 'GET',
      transport,
      ...(credential && { headers: { Authorization: basicAuthorization(credential) } }),
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    status = answer.status;
    body = await text(answer.body);
  } catch (error) {
    throw new TakeoverError(
      `the Mesos master ${address} does not answer: ${messageOf(error)}. Set its address with --master, and --mesos-ssl if it has TLS`,
    );
  }
  if (status !== 200) {
    const advice = status === 401 || status === 403 ? '. Set --master-credentials-file' : '';
    throw new TakeoverError(`the Mesos master ${address} answered ${status} to GET /state${advice}`);
  }
  const facts = readFramework(parseJson(body), frameworkId);
  if (!facts) {
    throw new TakeoverError(
      `the Mesos master ${address} does not know Marathon's framework ${frameworkId}: set the master of that Marathon with --master`,
    );
  }
  if ('why' in facts)
    throw new TakeoverError(`${address}/state does not answer like a Mesos master: ${facts.why}`);
  if ('id' in facts) return facts;
  throw new TakeoverError(
    `the Mesos master ${address} has failed over and does not know Marathon's framework ${frameworkId} yet: ${whileRecovering(facts.recovering)}`,
  );
}
