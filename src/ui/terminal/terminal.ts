/** A terminal in the container of a task. Loaded when the first one is opened. */

import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { CHANNELS } from '../../exec/frames.ts';
import { isJson, parseJson } from '../../json.ts';
import { api, errorText } from '../live/api.ts';
import { createFlow } from './flow.ts';
import { withoutInlineStyles } from './inline-styles.ts';

export interface TerminalOptions {
  readonly task: string;
  readonly argv: readonly string[];
  /** Says how the session is. */
  readonly onState: (text: string) => void;
}

const SCROLLBACK = 5000;

/** @returns a function that ends the session */
export function openTerminal(place: HTMLElement, { task, argv, onState }: TerminalOptions): () => void {
  const terminal = new Terminal({
    cursorBlink: true,
    scrollback: SCROLLBACK,
    screenReaderMode: true,
    fontSize: 13,
    fontFamily: 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace',
    theme: { background: '#14171c', foreground: '#e4e8ee' },
    // A program could open any address otherwise, under any text.
    linkHandler: { activate: () => {} },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  withoutInlineStyles(document, () => terminal.open(place));
  fit.fit();
  terminal.attachCustomKeyEventHandler((event) => {
    // After the end of the command, nothing reads what is typed, and Tab leads on.
    if (terminal.options.disableStdin && event.key === 'Tab') return false;
    if (event.key !== 'Escape' || !event.ctrlKey || !event.shiftKey) return true;
    terminal.blur();
    return false;
  });
  terminal.focus();

  let socket: WebSocket | undefined;
  let isOver = false;
  let hasOutcome = false;
  const encoder = new TextEncoder();
  const send = (channel: number, content: Uint8Array) => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    const frame = new Uint8Array(content.length + 1);
    frame[0] = channel;
    frame.set(content, 1);
    socket.send(frame);
  };
  terminal.onData((text) => send(CHANNELS.stdin, encoder.encode(text)));
  terminal.onBinary((text) =>
    send(
      CHANNELS.stdin,
      Uint8Array.from(text, (one) => one.charCodeAt(0)),
    ),
  );
  terminal.onResize(({ cols: columns, rows }) =>
    send(CHANNELS.control, encoder.encode(JSON.stringify({ type: 'resize', columns, rows }))),
  );
  const flow = createFlow(
    (type) => send(CHANNELS.control, encoder.encode(JSON.stringify({ type }))),
    Date.now,
  );
  const observer = new ResizeObserver(() => fit.fit());
  observer.observe(place);

  const begin = async () => {
    onState('Connecting …');
    const body = { argv: [...argv], tty: true, columns: terminal.cols, rows: terminal.rows };
    const { url } = await api.call('POST', '/v2/tasks/{id}/exec', { path: { id: task }, body });
    if (isOver) return;
    socket = new WebSocket(api.webSocket(url).url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => onState('Connected.');
    socket.onmessage = ({ data }) => {
      const frame = new Uint8Array(data as ArrayBuffer);
      const content = frame.subarray(1);
      if (frame[0] !== CHANNELS.control) {
        flow.begins(content.length);
        terminal.write(content, () => flow.ends(content.length));
        return;
      }
      hasOutcome = true;
      onState(outcomeText(new TextDecoder().decode(content)));
    };
    socket.onclose = () => {
      if (!hasOutcome && !isOver) onState('The connection was lost. Open a new terminal.');
      terminal.options.disableStdin = true;
    };
  };
  begin().catch((error: unknown) => onState(errorText(error)));
  return () => {
    isOver = true;
    observer.disconnect();
    socket?.close();
    terminal.dispose();
  };
}

function outcomeText(text: string): string {
  const message = parseJson(text);
  if (!isJson(message)) return 'The session has ended.';
  return message.type === 'exit'
    ? `The command ended with exit code ${message.code}.`
    : `The command could not run: ${message.message}.`;
}
