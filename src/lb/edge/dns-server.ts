/** Answers DNS queries for apps, by UDP and TCP. Without an answer of the scheduler, it continues with the last one. */

import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { bindText, ipVersion } from '../address.ts';
import { answerQuery, failure } from '../dns/answer.ts';
import { buildZone, type Zone } from '../dns/zone.ts';
import type { LbMetrics } from '../metrics.ts';
import type { DnsAddress } from '../options.ts';
import { hostsIn, type Snapshot } from '../snapshot.ts';
import { DnsForwarder } from './dns-forwarder.ts';
import { HostNames } from './host-names.ts';

/** Queries are far shorter. */
const MAX_QUERY = 4096;
const MAX_CONNECTIONS = 200;
const IDLE_MS = 10_000;
/** Bytes that a client has not read: it is disconnected. */
const MAX_UNREAD = 1_000_000;
/** Answers to one address by UDP, since anybody can send queries in the name of another one. */
const MOST_PER_SECOND = 2000;
const MAX_CLIENTS = 10_000;

export class DnsServer {
  readonly #options: DnsAddress;
  readonly #metrics: LbMetrics;
  readonly #log: Logger;
  readonly #names: HostNames;
  readonly #forwarder: DnsForwarder | undefined;
  readonly #noZone: Zone;
  readonly #connections = new Set<Socket>();
  readonly #answered = new Map<string, number>();
  #window = 0;
  #zone: Zone | undefined;
  #serial = Math.floor(Date.now() / 1000);
  #told = new Set<string>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;

  constructor(options: DnsAddress, metrics: LbMetrics, log: Logger, names = new HostNames()) {
    this.#names = names;
    this.#options = options;
    this.#forwarder = options.forward && new DnsForwarder(options.forward);
    const { domain } = options;
    this.#noZone = { domain, records: new Map(), names: new Set(), problems: [] };
    this.#metrics = metrics;
    this.#log = log;
  }

  /** @throws MesosupError if it can't listen */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    const udp = createSocket({ type: ipVersion(host) === 6 ? 'udp6' : 'udp4' });
    const tcp = createServer({ highWaterMark: MAX_QUERY }, (socket) => this.#serve(socket));
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on('message', (packet, from) => this.#receive(packet, from));
    await Promise.all([
      listening(udp, () => udp.bind(port, host)),
      listening(tcp, () => tcp.listen(port, host)),
    ]).catch((error: NodeJS.ErrnoException) => {
      this.stop();
      throw new MesosupError(
        `can't listen on ${bindText(host, port)} for DNS: ${error.code ?? error.message}`,
        {
          remedy: 'End the other program, or choose another address with --dns.',
        },
      );
    });
    for (const one of [udp, tcp]) one.on('error', ({ message }: Error) => this.#log.error(`DNS: ${message}`));
  }

  /** Answers are from this snapshot from now on. */
  async update(snapshot: Snapshot): Promise<void> {
    await this.#names.refresh(hostsIn(snapshot), Date.now());
    this.#zone = buildZone(snapshot, this.#options.domain, this.#names.resolve);
    this.#serial = Math.max(this.#serial + 1, Math.floor(Date.now() / 1000));
    const problems = new Map(
      this.#zone.problems.map(({ appId, text }) => [`${appId}: ${text}`, { appId, text }]),
    );
    for (const [key, { appId, text }] of problems)
      if (!this.#told.has(key)) this.#log.warn({ app: appId }, text);
    this.#told = new Set(problems.keys());
  }

  stop(): void {
    this.#udp?.close();
    this.#udp = undefined;
    this.#tcp?.close();
    for (const one of this.#connections) one.destroy();
  }

  #receive(packet: Buffer, { address, port }: RemoteInfo): void {
    if (!this.#mayAnswer(address)) {
      this.#metrics.dnsDropped.inc();
      return;
    }
    void this.#answer(packet, 'udp').then((answer) => {
      // Errors are those of the client's network.
      if (answer && port > 0) this.#udp?.send(answer, port, address, () => undefined);
    });
  }

  #mayAnswer(client: string): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#window) {
      this.#window = second;
      this.#answered.clear();
    }
    const count = this.#answered.get(client) ?? 0;
    if (count >= MOST_PER_SECOND || (count === 0 && this.#answered.size >= MAX_CLIENTS)) return false;
    this.#answered.set(client, count + 1);
    return true;
  }

  #serve(socket: Socket): void {
    if (this.#connections.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    void this.#converse(socket).then(
      () => socket.end(),
      () => socket.destroy(),
    );
  }

  /** Reads the next query when the last one is answered. */
  async #converse(socket: Socket): Promise<void> {
    let rest = Buffer.alloc(0);
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      while (rest.length >= 2) {
        const length = rest.readUInt16BE(0);
        if (length > MAX_QUERY || socket.writableLength > MAX_UNREAD) return;
        if (rest.length < 2 + length) break;
        const answer = await this.#answer(rest.subarray(2, 2 + length), 'tcp');
        if (!answer) return;
        const size = Buffer.alloc(2);
        size.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([size, answer]));
        rest = rest.subarray(2 + length);
      }
    }
  }

  /**
   * @returns undefined for names of apps before the first answer of a scheduler: clients ask again, or ask another server. The
   * names of the schedulers themselves may have to be forwarded.
   */
  async #answer(packet: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const { ttl } = this.#options;
    const forwards = this.#forwarder !== undefined;
    const options = { transport, ttl, serial: this.#serial, random: Math.random(), forwards };
    const answered = answerQuery(packet, this.#zone ?? this.#noZone, options);
    if (!answered) return undefined;
    if (!this.#forwarder || !answered.isForeign) {
      if (!this.#zone) return undefined;
      this.#metrics.dnsAnswers.inc({ rcode: answered.rcode });
      return answered.packet;
    }
    const forwarded = await this.#forwarder.ask(packet, transport).catch(() => undefined);
    this.#metrics.dnsAnswers.inc({ rcode: forwarded ? 'forwarded' : 'SERVFAIL' });
    return forwarded ?? failure(packet);
  }
}

function listening(server: UdpSocket | Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    listen();
  });
}
