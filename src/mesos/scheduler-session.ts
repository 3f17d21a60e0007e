import type { FrameworkInfo, SchedulerCall, SchedulerEvent } from './types.ts';

export interface Credential {
  principal: string;
  secret: string;
}
/** A call was answered with anything but 202 (200 for UPDATE_FRAMEWORK), or could not be sent. */
export class MesosCallError extends Error {
  override name = 'MesosCallError';
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}
export interface SchedulerSessionOptions {
  /** Finds the leading master, as `host:port`; asked again before each attempt to subscribe. */
  detect: () => Promise<string>;
  /** Read anew at each SUBSCRIBE, so that it carries the framework id once there is one. */
  framework: () => FrameworkInfo;
  suppressedRoles: () => string[];
  credential?: Credential;
  /** Every event but HEARTBEAT, in order. */
  onEvent: (event: SchedulerEvent) => void;
  onDisconnected: (reason: string) => void;
}
export interface SchedulerSession {
  start(): void;
  call(call: Exclude<SchedulerCall, { type: 'SUBSCRIBE' }>): Promise<void>;
  stop(): Promise<void>;
}
