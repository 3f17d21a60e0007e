/**
 * Sends the status updates of an agent to the master. Each task has one update in flight, which is repeated until it is
 * acknowledged; then the next one follows. `record` stores them, since this class has no files.
 */

import type { Timer } from '../../mesos/retry.ts';
import { isTerminal, type TaskStatus } from '../../mesos/types.ts';

/** Initial and maximum wait before an unacknowledged update is sent again, in milliseconds. It doubles each time. */
const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 600_000;

/** An unacknowledged update, with the uuid for its acknowledgement. */
export type PendingUpdate = TaskStatus & { uuid: string };

/** Records of a task's updates, in order; sufficient to continue after a restart. */
export type UpdateRecord = { type: 'UPDATE'; status: PendingUpdate } | { type: 'ACK'; uuid: string };

export interface UpdatePorts {
  timer: Timer;
  /** Sends to the master; does nothing while there is no connection. */
  send(frameworkId: string, status: PendingUpdate): void;
  /** Stores a record before the update is processed further. */
  record(frameworkId: string, taskId: string, record: UpdateRecord): void;
}

interface Stream {
  frameworkId: string;
  taskId: string;
  /** Uuids of all updates so far: an executor may send an update twice. */
  seen: Set<string>;
  pending: PendingUpdate[];
  cancelRetry?: () => void;
}

export class StatusUpdates {
  readonly #ports: UpdatePorts;
  readonly #streams = new Map<string, Stream>();

  constructor(ports: UpdatePorts) {
    this.#ports = ports;
  }

  /** Adds an update. An update with a known uuid is dropped. */
  add(frameworkId: string, status: PendingUpdate): void {
    const stream = this.#stream(frameworkId, status.task_id.value);
    if (stream.seen.has(status.uuid)) return;
    stream.seen.add(status.uuid);
    this.#ports.record(frameworkId, stream.taskId, { type: 'UPDATE', status });
    stream.pending.push(status);
    if (stream.pending.length === 1) this.#forward(stream, FIRST_RETRY_MS);
  }

  /**
   * Handles the framework's acknowledgement.
   * @returns the update; undefined if it is not the one in flight
   */
  acknowledge(frameworkId: string, taskId: string, uuid: string): PendingUpdate | undefined {
    const stream = this.#streams.get(`${frameworkId}/${taskId}`);
    const head = stream?.pending[0];
    if (!stream || head?.uuid !== uuid) return undefined;
    this.#ports.record(frameworkId, taskId, { type: 'ACK', uuid });
    stream.cancelRetry?.();
    stream.pending.shift();
    if (isTerminal(head.state)) this.#drop(stream);
    else if (stream.pending.length > 0) this.#forward(stream, FIRST_RETRY_MS);
    return head;
  }

  /** Restores the records of an earlier run. Sends nothing yet; `resendAll` does. */
  restore(frameworkId: string, taskId: string, records: readonly UpdateRecord[]): void {
    const stream = this.#stream(frameworkId, taskId);
    for (const record of records) {
      if (record.type === 'UPDATE') {
        stream.seen.add(record.status.uuid);
        stream.pending.push(record.status);
      } else {
        stream.pending = stream.pending.filter((status) => status.uuid !== record.uuid);
      }
    }
    const ended = records.some(
      (r) =>
        r.type === 'ACK' &&
        records.some((u) => u.type === 'UPDATE' && u.status.uuid === r.uuid && isTerminal(u.status.state)),
    );
    if (ended) this.#drop(stream);
  }

  /** Sends all updates in flight again, over a new connection to the master. */
  resendAll(): void {
    for (const stream of this.#streams.values()) {
      if (stream.pending.length > 0) this.#forward(stream, FIRST_RETRY_MS);
    }
  }

  /** Returns the update in flight. */
  head(frameworkId: string, taskId: string): PendingUpdate | undefined {
    return this.#streams.get(`${frameworkId}/${taskId}`)?.pending[0];
  }

  /** Drops the updates of a removed framework, which can't acknowledge them. */
  dropFramework(frameworkId: string): void {
    for (const stream of [...this.#streams.values()])
      if (stream.frameworkId === frameworkId) this.#drop(stream);
  }

  /** Cancels all retries. */
  stop(): void {
    for (const stream of this.#streams.values()) stream.cancelRetry?.();
  }

  #stream(frameworkId: string, taskId: string): Stream {
    const key = `${frameworkId}/${taskId}`;
    const found = this.#streams.get(key);
    if (found) return found;
    const stream: Stream = { frameworkId, taskId, seen: new Set(), pending: [] };
    this.#streams.set(key, stream);
    return stream;
  }

  #drop(stream: Stream): void {
    stream.cancelRetry?.();
    this.#streams.delete(`${stream.frameworkId}/${stream.taskId}`);
  }

  #forward(stream: Stream, retryMs: number): void {
    const head = stream.pending[0];
    if (!head) return;
    stream.cancelRetry?.();
    stream.cancelRetry = this.#ports.timer(retryMs, () =>
      this.#forward(stream, Math.min(retryMs * 2, LONGEST_RETRY_MS)),
    );
    this.#ports.send(stream.frameworkId, head);
  }
}
