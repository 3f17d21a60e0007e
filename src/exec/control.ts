/** The control messages of an exec session, and the messages that begin one. All are JSON. */

import { isJson, parseJson } from '../json.ts';
import { decodeData, encodeData } from './message-data.ts';

/** Largest width and height of a terminal. */
const MAX_SIZE = 65_535;

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A command to run in a task's container. */
export interface ExecCommand {
  readonly task: string;
  readonly argv: readonly string[];
  readonly tty: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly size?: TerminalSize;
}

/** From the client, for the task. `end`: the end of standard input. */
export type ClientControl = ({ readonly type: 'resize' } & TerminalSize) | { readonly type: 'end' };

/** From the client, for the scheduler: whether it takes output. A browser can't leave it in the connection. */
export type FlowControl = { readonly type: 'pause' } | { readonly type: 'resume' };

/** To the client; the last message of a session. */
export type Outcome =
  | { readonly type: 'exit'; readonly code: number }
  | { readonly type: 'error'; readonly message: string };

/** Between scheduler and executor. The scheduler sends `start` first; both send `ping`, which has no answer. */
export type Control =
  | ClientControl
  | FlowControl
  | Outcome
  | { readonly type: 'start'; readonly command: ExecCommand }
  | { readonly type: 'ping' };

export function encodeControl(message: Control): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** @returns the problem of a message from the client as a text */
export function readClientControl(content: Buffer): ClientControl | FlowControl | string {
  const message = parseJson(content.toString('utf8'));
  if (!isJson(message)) return 'a control message must be a JSON object';
  const { type } = message;
  if (type === 'end' || type === 'pause' || type === 'resume') return { type };
  if (type !== 'resize') return 'the type of a control message must be resize, end, pause or resume';
  const { columns, rows } = message;
  if (isSize(columns) && isSize(rows)) return { type: 'resize', columns, rows };
  return `columns and rows of a resize must be whole numbers from 1 to ${MAX_SIZE}`;
}

/** Reads a message between scheduler and executor. @returns undefined if it is not one, or one of a later release */
export function readControl(content: Buffer): Control | undefined {
  const message = parseJson(content.toString('utf8'));
  if (!isJson(message)) return undefined;
  switch (message.type) {
    case 'ping':
      return { type: 'ping' };
    case 'exit':
      return Number.isInteger(message.code) ? { type: 'exit', code: Number(message.code) } : undefined;
    case 'error':
      return typeof message.message === 'string' ? { type: 'error', message: message.message } : undefined;
    case 'start': {
      const command = readCommand(message.command);
      return command && { type: 'start', command };
    }
    default: {
      const read = readClientControl(content);
      return typeof read === 'string' ? undefined : read;
    }
  }
}

function readCommand(value: unknown): ExecCommand | undefined {
  if (!isJson(value)) return undefined;
  const { task, argv, tty, environment, user, workingDirectory, size } = value;
  if (typeof task !== 'string' || typeof tty !== 'boolean') return undefined;
  if (!Array.isArray(argv) || argv.length === 0 || !argv.every(isText)) return undefined;
  if (!isJson(environment) || !Object.values(environment).every(isText)) return undefined;
  return {
    task,
    argv,
    tty,
    environment: environment as Record<string, string>,
    ...(isText(user) && { user }),
    ...(isText(workingDirectory) && { workingDirectory }),
    ...(isTerminalSize(size) && { size: { columns: size.columns, rows: size.rows } }),
  };
}

/** The content of a framework MESSAGE that asks an executor to connect. It contains no address: see schedulers.ts. */
export interface Invitation {
  readonly session: string;
  /** Proves to the scheduler that the connection belongs to the session; valid once. */
  readonly token: string;
}

export function encodeInvitation({ session, token }: Invitation): string {
  return encodeData({ type: 'exec', session, token });
}

/** @param data base64 @returns undefined if it is not an invitation */
export function readInvitation(data: string): Invitation | undefined {
  const message = decodeData(data);
  if (message?.type !== 'exec' || !isName(message.session) || !isName(message.token)) return undefined;
  return { session: message.session, token: message.token };
}

/** The content of an executor's MESSAGE: why it could not connect. */
export interface Regret {
  readonly session: string;
  readonly reason: string;
}

export function encodeRegret({ session, reason }: Regret): string {
  return encodeData({ type: 'exec-failed', session, reason });
}

/** @param data base64 */
export function readRegret(data: string): Regret | undefined {
  const message = decodeData(data);
  if (message?.type !== 'exec-failed' || !isName(message.session) || !isText(message.reason))
    return undefined;
  return { session: message.session, reason: message.reason };
}

/** The protocol name in the `Upgrade` header of an executor's request. */
export const EXECUTOR_PROTOCOL = 'mesosup-exec';

/** The path of an executor's request, with the session's id. */
export function executorPath(session: string): string {
  return `/exec/${session}`;
}

/** @returns the session's id in the path of an executor's request */
export function sessionOfPath(path: string): string | undefined {
  return /^\/exec\/([\w-]+)$/.exec(path)?.[1];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Ids and tokens are base64url; anything else could change the request that contains them. */
function isName(value: unknown): value is string {
  return isText(value) && /^[\w-]{16,128}$/.test(value);
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_SIZE;
}

function isTerminalSize(value: unknown): value is TerminalSize {
  return isJson(value) && isSize(value.columns) && isSize(value.rows);
}
