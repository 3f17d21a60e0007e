import { expect, it } from 'vitest';
import { DnsForwarder } from './dns-forwarder.ts';

const QUERY = Buffer.from('000101000001000000000000076578616d706c6503636f6d0000010001', 'hex');

it('has no answer of a server to which the system has no way', async () => {
  // Nobody may send to the broadcast address without having asked for it.
  const forwarder = new DnsForwarder({ host: '255.255.255.255', port: 53 });
  expect(await forwarder.ask(QUERY, 'udp')).toBeUndefined();
  expect(await forwarder.ask(QUERY, 'tcp')).toBeUndefined();
});
