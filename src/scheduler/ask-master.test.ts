import { afterEach, beforeEach, expect, it } from 'vitest';
import { ScriptedServer } from '../../test/support/scripted-server.ts';
import { askMaster } from './ask-master.ts';

let master: ScriptedServer;

beforeEach(async () => {
  master = new ScriptedServer();
  await master.listen();
});
afterEach(() => master.close());

const basicOf = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const detect = async () => master.address;

it('tries each secret of the principal until the master takes one', async () => {
  const asking = askMaster(
    { detect, credential: { principal: 'p', secret: 'old', others: ['new'] } },
    '/slaves',
  );
  const first = await master.next();
  first.reply(401, 'no');
  const second = await master.next();
  second.reply(200, '{"slaves":[]}');
  expect([first, second].map(({ headers }) => headers.authorization)).toEqual([
    basicOf('p:old'),
    basicOf('p:new'),
  ]);
  expect(await asking).toEqual({ status: 200, body: { slaves: [] } });
});

it('asks once with a secret that the master takes, and returns the last refusal', async () => {
  const credential = { principal: 'p', secret: 's', others: ['t'] };
  const asking = askMaster({ detect, credential }, '/version');
  (await master.next()).reply(403, 'no');
  expect((await asking).status).toBe(403);
  const refused = askMaster({ detect, credential }, '/version');
  (await master.next()).reply(401, 'no');
  (await master.next()).reply(401, 'no');
  expect((await refused).status).toBe(401);
  const open = askMaster({ detect }, '/version');
  const asked = await master.next();
  expect(asked.headers.authorization).toBeUndefined();
  asked.reply(200, 'text');
  expect(await open).toEqual({ status: 200, body: undefined });
});
