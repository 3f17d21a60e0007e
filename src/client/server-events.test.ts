import { describe, expect, it } from 'vitest';
import { EventDecoder } from './server-events.ts';

const STREAM =
  ':\n\nevent: stdout\ndata: {"text":"a"}\nid: 1\n\ndata: x\ndata: y\n\nevent: empty\n\r\nevent: end\r\ndata: {}\r\n\r\n';
const EVENTS = [
  { type: 'stdout', data: '{"text":"a"}', id: '1' },
  { type: 'message', data: 'x\ny', id: '1' },
  { type: 'end', data: '{}', id: '1' },
];

describe('EventDecoder', () => {
  it('decodes events of any chunk size, and leaves out comments and events without data', () => {
    for (let size = 1; size <= STREAM.length; size += 1) {
      const decoder = new EventDecoder();
      const chunks = STREAM.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
      expect(chunks.flatMap((chunk) => decoder.push(chunk))).toEqual(EVENTS);
    }
  });
});
