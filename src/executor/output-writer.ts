/** Writes the records of a container's output to the task's files, and how far it has come to a file of the task store. */

import { closeSync, constants, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { LogRecord } from '../docker/log-records.ts';
import type { TimedBytes } from '../exec/time-index.ts';
import type { OutputStart } from './domain/executor-state.ts';
import {
  type OutputPosition,
  POSITION_BYTES,
  parsePosition,
  positionText,
  RecordFilter,
  type StreamPosition,
} from './domain/output-position.ts';
import type { OutputLimits } from './domain/sandbox-policy.ts';
import { hashOf } from './identity.ts';
import { makeBelow, openBelow } from './open-below.ts';
import { OutputFile } from './output-file.ts';
import type { StreamName, TaskFiles } from './task-files.ts';

export type RecordFilters = Record<StreamName, RecordFilter>;

const STREAMS: readonly StreamName[] = ['stdout', 'stderr'];
const GAP = 'mesosup: output is missing here: the log rotation of Docker removed it before it was read';

export class OutputWriter {
  readonly #files: Record<StreamName, OutputFile>;
  readonly #positionFile: number;
  #position: OutputPosition;

  /** @param start sizes of the files before the container wrote to them */
  constructor(files: TaskFiles, taskId: string, start: OutputStart, limits: OutputLimits) {
    this.#files = {
      stdout: new OutputFile(files, 'stdout', limits),
      stderr: new OutputFile(files, 'stderr', limits),
    };
    makeBelow(files.root, ['state'], 0o700);
    const flags = constants.O_RDWR | constants.O_CREAT;
    this.#positionFile = openBelow(files.root, ['state', positionFileName(taskId)], flags, 0o600);
    const text = Buffer.alloc(POSITION_BYTES);
    const length = readSync(this.#positionFile, text, 0, text.length, 0);
    const initial = (stream: StreamName): StreamPosition => ({
      ...{ time: '', count: 0, lost: 0 },
      ...{ file: this.#files[stream].end.file, size: start[stream] },
    });
    this.#position = parsePosition(text.toString('utf8', 0, length)) ?? {
      stdout: initial('stdout'),
      stderr: initial('stderr'),
    };
    for (const stream of STREAMS) {
      this.#files[stream].keepTimes(this.#position[stream]);
      this.#save(stream, { ...this.#position[stream], indexed: true });
    }
  }

  get position(): OutputPosition {
    return this.#position;
  }

  /** Filters for what Docker sends from the position on. @param since as in the request to Docker */
  filters(since: string | undefined): RecordFilters {
    const filter = (stream: StreamName) => {
      const position = this.#position[stream];
      return new RecordFilter(position, this.#files[stream].bytesSince(position), since);
    };
    return { stdout: filter('stdout'), stderr: filter('stderr') };
  }

  async write(records: readonly LogRecord[], filters: RecordFilters): Promise<void> {
    for (const stream of STREAMS) {
      const filter = filters[stream];
      let pieces: TimedBytes[] = [];
      for (const record of records) {
        if (record.stream !== stream) continue;
        const before = filter.last;
        const { skip, isAfterGap } = filter.take(record.time, record.bytes.length);
        if (isAfterGap) {
          await this.#append(stream, pieces, before);
          pieces = [];
          await this.#note(stream, GAP, record.time);
        }
        if (skip === 0) pieces.push(record);
        else if (skip < record.bytes.length)
          pieces.push({ time: record.time, bytes: record.bytes.subarray(skip) });
      }
      // Otherwise all records are in the file already.
      if (filter.isAtEnd) await this.#append(stream, pieces, filter.last);
    }
  }

  /** Adds a line of the executor to stderr. */
  async remark(text: string): Promise<void> {
    await this.#note('stderr', text, new Date().toISOString());
  }

  close(): void {
    for (const stream of STREAMS) this.#files[stream].close();
    closeSync(this.#positionFile);
  }

  /** @param last the last record that the pieces complete */
  async #append(
    stream: StreamName,
    pieces: readonly TimedBytes[],
    last: Pick<StreamPosition, 'time' | 'count'>,
  ) {
    const file = this.#files[stream];
    let { lost = 0 } = this.#position[stream];
    const [first] = pieces;
    if (first !== undefined) {
      const why = file.error?.message ?? 'the disk was full';
      const isRoom =
        lost === 0 ||
        (await this.#note(stream, `mesosup: ${lost} bytes of output are missing here: ${why}`, first.time));
      if (isRoom) lost = 0;
      if (!isRoom || !(await file.append(pieces)))
        lost += pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
    }
    const { time } = this.#position[stream];
    if (pieces.length > 0 || time !== last.time)
      this.#save(stream, { ...last, ...file.end, lost, indexed: true });
  }

  /**
   * Adds a line. Its bytes are in the position before they are in the file, since bytes beyond the position are taken for
   * those of records.
   * @param time that of the record behind it
   */
  async #note(stream: StreamName, text: string, time: string): Promise<boolean> {
    const file = this.#files[stream];
    const bytes = Buffer.from(`${text}\n`);
    const { file: inode, size } = file.end;
    this.#save(stream, { ...this.#position[stream], file: inode, size: size + bytes.length });
    return await file.append([{ time, bytes }]);
  }

  #save(stream: StreamName, position: StreamPosition): void {
    this.#position = { ...this.#position, [stream]: position };
    try {
      writeSync(this.#positionFile, positionText(this.#position), 0);
    } catch {
      // A full disk. The next position may find room; until then, a restart repeats output.
    }
  }
}

/** Deletes the position of a task whose container is gone. */
export async function forgetPosition(root: string, taskId: string): Promise<void> {
  await rm(path.join(root, 'state', positionFileName(taskId)), { force: true });
}

/** Deletes positions that a killed worker has left, of all but these tasks. */
export function forgetOtherPositions(root: string, taskIds: Iterable<string>): void {
  const kept = new Set([...taskIds].map(positionFileName));
  const directory = path.join(root, 'state');
  for (const name of readdirSync(directory)) {
    if (name.endsWith('.output') && !kept.has(name)) rmSync(path.join(directory, name));
  }
}

function positionFileName(taskId: string): string {
  return `${hashOf(taskId)}.output`;
}
