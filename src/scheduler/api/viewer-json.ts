/** Hides the values of environment variables in answers to viewers. The names stay. */

import { isJson } from '../../json.ts';

const HIDDEN = '********';
/** Finds texts in which there may be something to hide; keys in strings have escaped quotes. */
const MAY_HIDE = /"(env|parameters|options)":/;

/**
 * Applies to all JSON that a viewer receives, whatever the operation: values of `env`, and of variables among the
 * options of `docker run`.
 * @param json a complete JSON text
 */
export function withoutEnvironment(json: string): string {
  return MAY_HIDE.test(json) ? JSON.stringify(JSON.parse(json), hide) : json;
}

function hide(key: string, value: unknown): unknown {
  if (key === 'env' && isJson(value)) {
    return Object.fromEntries(Object.keys(value).map((name) => [name, HIDDEN]));
  }
  if (key === 'parameters' && Array.isArray(value)) return value.map(hideParameter);
  if (key === 'options' && Array.isArray(value)) return value.map((_, i) => hideOption(value, i));
  return value;
}

/** A parameter of Docker: `{"key": "env", "value": "NAME=value"}`, or with the name of the variable in the key. */
function hideParameter(parameter: unknown): unknown {
  if (!isJson(parameter)) return parameter;
  const [, flag, name] = /^(-*(?:e|env))(=.*)?$/s.exec(String(parameter.key)) ?? [];
  if (flag === undefined) return parameter;
  if (name === undefined) return { ...parameter, value: hideAssigned(String(parameter.value)) };
  // Both make the option `--env=KEY=VALUE`; the first `=` in either may be the one before the value of the variable.
  const [, variable] = /^=([^=]*)/.exec(name) ?? [];
  return { ...parameter, key: `${flag}=${variable}`, value: HIDDEN };
}

/**
 * An option of `docker run`: `-e NAME=value` as two words, `-eNAME=value`, or `--env=NAME=value`. Letters of options
 * without a value may precede the `e`.
 */
function hideOption(options: readonly unknown[], i: number): unknown {
  const option = options[i];
  if (typeof option !== 'string') return option;
  if (/^(-[ditPq]*e|--env)$/.test(String(options[i - 1]))) return hideAssigned(option);
  const [, flag, assigned] = /^(--env=|-[ditPq]*e=?)(.+)$/s.exec(option) ?? [];
  return flag === undefined || assigned === undefined ? option : flag + hideAssigned(assigned);
}

function hideAssigned(text: string): string {
  return text.replace(/=.*$/s, `=${HIDDEN}`);
}
