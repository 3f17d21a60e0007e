/** The error codes of ZooKeeper's replies, as its KeeperException.Code numbers them. */

import { ZooKeeperError, type ZooKeeperErrorCode } from '../client.ts';

export const NO_NODE = -101;

const ERRORS: ReadonlyMap<number, readonly [ZooKeeperErrorCode, string]> = new Map([
  [NO_NODE, ['NO_NODE', 'there is no such znode']],
  [-102, ['NO_AUTH', 'its access list does not allow this identity to']],
  [-103, ['BAD_VERSION', 'it has been changed meanwhile']],
  [-110, ['NODE_EXISTS', 'the znode exists already']],
  [-111, ['NOT_EMPTY', 'the znode has children']],
  [-6, ['OTHER', 'the server does not implement this request']],
  [-8, ['OTHER', 'the server calls the request invalid']],
  [-108, ['OTHER', 'the znode is ephemeral and can have no children']],
  [-112, ['OTHER', 'the session has expired']],
  [-114, ['OTHER', 'the server refuses the access list']],
  [-125, ['OTHER', 'a quota is exceeded']],
]);

/** Makes the error that a request for `path` fails with. */
export function errorOf(code: number, path: string): ZooKeeperError {
  const [name, words] = ERRORS.get(code) ?? ['OTHER', `the server answered with error ${code}`];
  return new ZooKeeperError(name, `ZooKeeper ${path}: ${words}`);
}
