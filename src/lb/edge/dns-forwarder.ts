/** Passes DNS queries on to another server. */

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { type HostPort, ipVersion } from '../address.ts';

const PATIENCE_MS = 3000;
const MOST_AT_ONCE = 500;
const HEADER_BYTES = 12;

export class DnsForwarder {
  readonly #server: HostPort;
  #running = 0;

  constructor(server: HostPort) {
    this.#server = server;
  }

  /** @param query well-formed, with one question @returns undefined if the server does not answer, or too many are asked */
  async ask(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    if (this.#running >= MOST_AT_ONCE) return undefined;
    this.#running += 1;
    try {
      const sent = Buffer.from(query);
      // Nobody who doesn't see the query can answer it.
      sent.writeUInt16BE(randomInt(0x1_0000), 0);
      const answer = await (transport === 'udp' ? this.#askByUdp(sent) : this.#askByTcp(sent));
      if (answer) query.copy(answer, 0, 0, 2);
      return answer;
    } finally {
      this.#running -= 1;
    }
  }

  #askByUdp(query: Buffer): Promise<Buffer | undefined> {
    const { host, port } = this.#server;
    return new Promise((resolve) => {
      // Each query has a port of its own.
      const socket = createSocket(ipVersion(host) === 6 ? 'udp6' : 'udp4');
      const end = (answer?: Buffer) => {
        clearTimeout(timer);
        socket.removeAllListeners().on('error', () => undefined);
        socket.close();
        resolve(answer);
      };
      const timer = setTimeout(end, PATIENCE_MS);
      socket.on('error', () => end());
      socket.on('message', (packet) => {
        if (isAnswer(packet, query)) end(packet);
      });
      // Without a route, the callback has an error, and there is nothing to send with.
      socket.connect(port, host, (error?: Error) => (error ? end() : socket.send(query)));
    });
  }

  #askByTcp(query: Buffer): Promise<Buffer | undefined> {
    const { host, port } = this.#server;
    return new Promise((resolve) => {
      const socket = connect(port, host);
      const end = (answer?: Buffer) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(answer);
      };
      const timer = setTimeout(end, PATIENCE_MS);
      let received = Buffer.alloc(0);
      socket.on('error', () => end());
      socket.on('close', () => end());
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const packet = received.subarray(2, 2 + received.readUInt16BE(0));
        end(isAnswer(packet, query) ? packet : undefined);
      });
      const size = Buffer.alloc(2);
      size.writeUInt16BE(query.length);
      socket.write(Buffer.concat([size, query]));
    });
  }
}

/** True if the packet answers the query: with the same id, and the same question. */
function isAnswer(packet: Buffer, query: Buffer): boolean {
  const end = query.indexOf(0, HEADER_BYTES) + 5;
  return (
    packet.length >= end &&
    (packet.readUInt8(2) & 0x80) !== 0 &&
    packet.subarray(0, 2).equals(query.subarray(0, 2)) &&
    packet.subarray(HEADER_BYTES, end).equals(query.subarray(HEADER_BYTES, end))
  );
}
