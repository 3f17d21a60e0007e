import { type Agent, get } from 'node:http';

/** Sends a request on a new connection. @returns the answer, or the reason why there was none */
export function requestText(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    get(url, { agent }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += String(chunk);
      });
      answer.on('error', ({ message }) => resolve(message));
      answer.on('end', () => resolve(answer.statusCode === 200 ? text.trim() : `${answer.statusCode}`));
    }).on('error', ({ message }) => resolve(message));
  });
}
