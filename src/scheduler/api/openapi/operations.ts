/** All operations of the API. */

import { V1_OPERATIONS } from '../v1/v1-operations.ts';
import { V2_APP_OPERATIONS } from '../v2/app-operations.ts';
import { V2_OPERATIONS } from '../v2/v2-operations.ts';
import type { Operation } from './operation.ts';

export const OPERATIONS: readonly Operation[] = [...V2_APP_OPERATIONS, ...V2_OPERATIONS, ...V1_OPERATIONS];

/** The type of each operation with its own schemas, from which the client's types are derived (src/client). */
export type DeclaredOperation = (
  | typeof V2_APP_OPERATIONS
  | typeof V2_OPERATIONS
  | typeof V1_OPERATIONS
)[number];
