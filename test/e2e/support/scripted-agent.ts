/** An agent that the test controls: the executor API over real HTTP, with a record of the executor's calls. */

import { EventEmitter, once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeRecord } from '../../../src/mesos/recordio.ts';
import type {
  ExecutorCall,
  ExecutorEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../../src/mesos/types.ts';
import { isUuidBase64 } from '../../../src/mesos/uuid.ts';

type Subscribe = Extract<ExecutorCall, { type: 'SUBSCRIBE' }>['subscribe'];

export class ScriptedAgent {
  /** Updates in the order of arrival, including those in SUBSCRIBE; a repeated update (same uuid) is recorded once. */
  readonly updates: TaskStatus[] = [];
  readonly subscriptions: Subscribe[] = [];
  /** Acknowledges each update at once, like a framework. */
  acknowledges = true;
  /** Number of next updates that are answered with 400. */
  refusals = 0;
  capabilities = ['TASK_KILLING_STATE', 'PARTITION_AWARE'];
  /** A label of the ExecutorInfo. */
  cluster = 'test';
  authorization: string | undefined;
  readonly #changes = new EventEmitter();
  readonly #server: Server;
  #stream: ServerResponse | undefined;

  private constructor() {
    this.#changes.setMaxListeners(100);
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.authorization = request.headers.authorization;
        this.#answer(JSON.parse(Buffer.concat(chunks).toString()) as ExecutorCall, response);
      });
    });
  }

  static async start(): Promise<ScriptedAgent> {
    const agent = new ScriptedAgent();
    agent.#server.listen(0, '127.0.0.1');
    await once(agent.#server, 'listening');
    return agent;
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  send(event: ExecutorEvent): void {
    this.#stream?.write(encodeRecord(JSON.stringify(event)));
  }

  launch(task: TaskInfo): void {
    this.send({ type: 'LAUNCH', launch: { task } });
  }

  kill(taskId: string, graceSeconds?: number): void {
    const policy =
      graceSeconds === undefined
        ? {}
        : { kill_policy: { grace_period: { nanoseconds: graceSeconds * 1e9 } } };
    this.send({ type: 'KILL', kill: { task_id: { value: taskId }, ...policy } });
  }

  acknowledge(status: TaskStatus): void {
    this.send({ type: 'ACKNOWLEDGED', acknowledged: { task_id: status.task_id, uuid: status.uuid ?? '' } });
  }

  /** The reported states of a task, in order. */
  statesOf(taskId: string): TaskState[] {
    return this.updates.filter((u) => u.task_id.value === taskId).map((u) => u.state);
  }

  /** Resolves when the executor has sent this update, or at once if it already has. */
  async update(taskId: string, state: TaskState): Promise<TaskStatus> {
    return await this.until(() => this.updates.find((u) => u.task_id.value === taskId && u.state === state));
  }

  /** Resolves after the n-th subscription of the executor. */
  async subscription(n: number): Promise<Subscribe> {
    return await this.until(() => this.subscriptions[n - 1]);
  }

  async until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await once(this.#changes, 'change');
    }
  }

  /** Closes the event stream, like an agent that restarts. */
  disconnect(): void {
    this.#stream?.destroy();
  }

  #answer(call: ExecutorCall, response: ServerResponse): void {
    if (call.type === 'SUBSCRIBE') {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      this.#stream = response;
      this.send({
        type: 'SUBSCRIBED',
        subscribed: {
          executor_info: {
            executor_id: { value: 'docker' },
            labels: { labels: [{ key: 'mesosup.cluster', value: this.cluster }] },
          },
          framework_info: {
            user: 'root',
            name: 'test',
            capabilities: this.capabilities.map((type) => ({ type })),
          },
          agent_info: { id: { value: 'agent-S0' }, hostname: 'localhost' },
        },
      });
      this.subscriptions.push(call.subscribe);
      for (const { status } of call.subscribe.unacknowledged_updates) this.#record(status);
    } else if (call.type === 'UPDATE') {
      const { status } = call.update;
      const refused = this.refusals > 0 || !isUuidBase64(status.uuid ?? '');
      response.writeHead(refused ? 400 : 202).end(refused ? 'Not a valid UUID' : '');
      if (refused) this.refusals -= 1;
      else this.#record(status);
    } else {
      response.writeHead(202).end();
    }
    this.#changes.emit('change');
  }

  #record(status: TaskStatus): void {
    if (!this.updates.some((u) => u.uuid === status.uuid)) this.updates.push(status);
    if (this.acknowledges) this.acknowledge(status);
  }
}
