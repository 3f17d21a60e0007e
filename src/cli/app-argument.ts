/** The argument APP of commands. */

import { Args } from '@oclif/core';

export const appArgument = Args.string({
  name: 'APP',
  description: 'The id of the app, with or without the leading slash.',
  required: true,
  ignoreStdin: true,
});

export const optionalAppArgument = Args.string({
  name: 'APP',
  description: 'Only this app. Default: all apps.',
  ignoreStdin: true,
});

/** With a leading slash. */
export function appIdOf(argument: string): string {
  return `/${argument.replace(/^\/+|\/+$/g, '')}`;
}
