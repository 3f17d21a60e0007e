import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ExecCommand,
  encodeControl,
  encodeInvitation,
  encodeRegret,
  executorPath,
  readClientControl,
  readControl,
  readInvitation,
  readRegret,
  sessionOfPath,
} from './control.ts';

const session = 'abcdefghijklmnop_-012345';
const token = 'ABCDEFGHIJKLMNOP_-012345';
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('a control message of a client', () => {
  it('resizes the terminal, ends the input, or stops and continues the output', () => {
    expect(readClientControl(bytes({ type: 'resize', columns: 80, rows: 24 }))).toEqual({
      type: 'resize',
      columns: 80,
      rows: 24,
    });
    for (const type of ['end', 'pause', 'resume'])
      expect(readClientControl(bytes({ type, more: 1 }))).toEqual({ type });
  });

  it.each([
    ['no JSON', /JSON object/],
    ['[]', /JSON object/],
    ['{"type":"start"}', /resize, end, pause or resume/],
    ['{"type":"resize","columns":0,"rows":1}', /from 1 to 65535/],
    ['{"type":"resize","columns":1.5,"rows":1}', /from 1 to 65535/],
    ['{"type":"resize","columns":1}', /from 1 to 65535/],
  ])('is refused with a reason: %s', (text, reason) => {
    expect(readClientControl(Buffer.from(text))).toMatch(reason);
  });
});

describe('a control message between scheduler and executor', () => {
  it('is read as it was written', () => {
    const command: ExecCommand = {
      task: 'a.instance-1._app.1',
      argv: ['sh', '-c', 'echo "$A"'],
      tty: true,
      environment: { A: 'b\nc' },
      user: 'nobody',
      workingDirectory: '/tmp',
      size: { columns: 80, rows: 24 },
    };
    for (const message of [
      { type: 'start', command },
      { type: 'ping' },
      { type: 'exit', code: 137 },
      { type: 'error', message: 'why' },
      { type: 'end' },
      { type: 'resize', columns: 1, rows: 65_535 },
    ] as const)
      expect(readControl(encodeControl(message))).toEqual(message);
  });

  it('is ignored if it is unknown or incomplete', () => {
    const start = { task: 't', argv: ['a'], tty: false, environment: {} };
    for (const wrong of [
      { type: 'of a later release' },
      { type: 'exit' },
      { type: 'start' },
      { type: 'start', command: { ...start, argv: [] } },
      { type: 'start', command: { ...start, environment: { A: 1 } } },
    ])
      expect(readControl(bytes(wrong))).toBeUndefined();
  });
});

describe('an invitation', () => {
  it('is read as it was written', () => {
    expect(readInvitation(encodeInvitation({ session, token }))).toEqual({ session, token });
  });

  it('is ignored if it contains anything that could change the request', () => {
    const all = { type: 'exec', session, token };
    for (const wrong of [
      { ...all, type: 'other' },
      { ...all, session: '../../v2/apps?x=1234567890' },
      { ...all, token: `${token}\r\nHost: evil` },
      { ...all, token: 'short' },
      { ...all, token: undefined },
    ])
      expect(readInvitation(base64(wrong))).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (data) => {
        readInvitation(data);
        readRegret(data);
      }),
    );
  });

  it('is declined with a reason', () => {
    expect(readRegret(encodeRegret({ session, reason: 'why' }))).toEqual({ session, reason: 'why' });
    expect(readRegret(encodeInvitation({ session, token }))).toBeUndefined();
  });
});

it('finds the session in the path of a request', () => {
  expect(sessionOfPath(executorPath(session))).toBe(session);
  for (const other of ['/exec/', '/exec/a/b', '/v2/exec/a', '/exec/a?b', '/exec/..%2f'])
    expect(sessionOfPath(other)).toBeUndefined();
});
