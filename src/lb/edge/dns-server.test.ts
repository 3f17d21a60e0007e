import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { decode, encode } from 'dns-packet';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../../../test/support/free-ports.ts';
import { createLbMetrics } from '../metrics.ts';
import { DnsServer } from './dns-server.ts';

const HOST = '127.0.0.1';

function queryFor(name: string): Buffer {
  return encode({ id: 7, questions: [{ name, type: 'A' }] });
}

it('forwards queries before the first answer of a scheduler, whose own name may be asked for', async () => {
  const other = createSocket('udp4');
  onTestFinished(() => void other.close());
  other.on('message', (packet, { port }) => {
    const { id, questions = [] } = decode(packet);
    const answers = [{ type: 'A' as const, name: 'scheduler.example', ttl: 1, data: '10.0.0.9' }];
    other.send(encode({ type: 'response', id, questions, answers }), port, HOST);
  });
  other.bind(0, HOST);
  await once(other, 'listening');
  const [port = 0] = await freePorts(1);
  const forward = { host: HOST, port: (other.address() as AddressInfo).port };
  const options = { host: HOST, port, domain: 'mesos', ttl: 5, forward };
  const server = new DnsServer(options, createLbMetrics(), pino({ level: 'silent' }));
  await server.start();
  onTestFinished(() => server.stop());

  const client = createSocket('udp4');
  onTestFinished(() => void client.close());
  client.send(queryFor('scheduler.example'), port, HOST);
  const [answer] = (await once(client, 'message')) as [Buffer];
  expect(decode(answer)).toMatchObject({ id: 7, answers: [{ data: '10.0.0.9' }] });

  const connection = connect(port, HOST);
  let received = 0;
  connection.on('data', ({ length }: Buffer) => {
    received += length;
  });
  const query = queryFor('web.marathon.mesos');
  const size = Buffer.alloc(2);
  size.writeUInt16BE(query.length);
  connection.write(Buffer.concat([size, query]));
  await once(connection, 'close');
  expect(received).toBe(0);
});
