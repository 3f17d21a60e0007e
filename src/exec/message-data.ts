/** The data of a Mesos MESSAGE between scheduler and executor: JSON in base64. */

import { isJson, type Json, parseJson } from '../json.ts';

export function encodeData(content: Json): string {
  return Buffer.from(JSON.stringify(content)).toString('base64');
}

/** @returns undefined if the data is not a JSON object */
export function decodeData(data: string): Json | undefined {
  const content = parseJson(Buffer.from(data, 'base64').toString('utf8'));
  return isJson(content) ? content : undefined;
}
