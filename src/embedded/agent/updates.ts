/**
 * The status updates of an agent on their way to the master: one at a time for each task, repeated until it is
 * acknowledged, the next only then. Keeps no files itself; `record` is told what to keep.
 */

import type { Timer } from '../../mesos/retry.ts';
import { isTerminal, type TaskStatus } from '../../mesos/types.ts';

/** First wait before an unacknowledged update is sent again; it doubles up to the longest. Milliseconds. */
const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 600_000;

/** An update that waits, with the uuid that its acknowledgement will name. */
export type PendingUpdate = TaskStatus & { uuid: string };

/** What happened to a task's updates, in order: enough to continue after a restart. */
export type UpdateRecord = { type: 'UPDATE'; status: PendingUpdate } | { type: 'ACK'; uuid: string };

export interface UpdatePorts {
  timer: Timer;
  /** Sends to the master; does nothing while there is no connection. */
  send(frameworkId: string, status: PendingUpdate): void;
  /** Keeps a record before anything else happens to the update. */
  record(frameworkId: string, taskId: string, record: UpdateRecord): void;
}

interface Stream {
  frameworkId: string;
  taskId: string;
  /** Uuids that were ever taken: the executor may send an update twice. */
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

  /** Takes an update. One whose uuid was taken before is dropped. */
  add(frameworkId: string, status: PendingUpdate): void {
    const stream = this.#stream(frameworkId, status.task_id.value);
    if (stream.seen.has(status.uuid)) return;
    stream.seen.add(status.uuid);
    this.#ports.record(frameworkId, stream.taskId, { type: 'UPDATE', status });
    stream.pending.push(status);
    if (stream.pending.length === 1) this.#forward(stream, FIRST_RETRY_MS);
  }

  /**
   * The framework has the update of that uuid.
   * @returns it, or undefined where it is not the one that waits for acknowledgement
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

  /** Continues where records of an earlier run end. Sends nothing yet: `resendAll` does. */
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

  /** Sends again what waits for acknowledgement: there is a new connection to the master. */
  resendAll(): void {
    for (const stream of this.#streams.values()) {
      if (stream.pending.length > 0) this.#forward(stream, FIRST_RETRY_MS);
    }
  }

  /** The update that waits for its acknowledgement. */
  head(frameworkId: string, taskId: string): PendingUpdate | undefined {
    return this.#streams.get(`${frameworkId}/${taskId}`)?.pending[0];
  }

  /** Forgets a framework: nobody will acknowledge any more. */
  dropFramework(frameworkId: string): void {
    for (const stream of [...this.#streams.values()])
      if (stream.frameworkId === frameworkId) this.#drop(stream);
  }

  /** Stops all repetition. */
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
