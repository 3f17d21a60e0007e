/** The error codes of ZooKeeper's replies, from KeeperException.Code. */

import { ZooKeeperError, type ZooKeeperErrorCode } from '../client.ts';

export const NO_NODE = -101;

const ERRORS: ReadonlyMap<number, readonly [ZooKeeperErrorCode, string]> = new Map([
  [NO_NODE, ['NO_NODE', 'the znode does not exist']],
  [-102, ['NO_AUTH', 'the access list does not allow it for this identity']],
  [-103, ['BAD_VERSION', 'the znode was changed in the meantime']],
  [-110, ['NODE_EXISTS', 'the znode already exists']],
  [-111, ['NOT_EMPTY', 'the znode has children']],
  [-6, ['OTHER', 'the server does not implement this request']],
  [-8, ['OTHER', 'the server rejected the request as invalid']],
  [-108, ['OTHER', 'the znode is ephemeral and can have no children']],
  [-112, ['OTHER', 'the session has expired']],
  [-114, ['OTHER', 'the server refuses the access list']],
  [-125, ['OTHER', 'a quota is exceeded']],
]);

/** Creates the error of a failed request for `path`. */
export function errorOf(code: number, path: string): ZooKeeperError {
  const [name, words] = ERRORS.get(code) ?? ['OTHER', `the server answered with error ${code}`];
  return new ZooKeeperError(name, `ZooKeeper ${path}: ${words}`);
}
